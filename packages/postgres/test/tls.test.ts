import { appendFileSync, chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { troubleSuite } from '@session-stores/driver-suite'
import { type ProcessServer, postgresServers, selfSigned, unprivileged } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { postgresDriver } from '../src/index.ts'
import { NOW, session } from './support/servers.ts'

/** Makes the server take only connections with TLS. Returns its self-signed certificate. */
async function requireTls({ url, folder }: ProcessServer): Promise<string> {
  const { cert, key } = selfSigned(folder)
  const { uid, gid } = unprivileged(folder)
  if (uid !== undefined && gid !== undefined) chownSync(key, uid, gid)
  appendFileSync(
    join(folder, 'data/postgresql.conf'),
    `ssl = on\nssl_cert_file = '${cert}'\nssl_key_file = '${key}'\n`,
  )
  const rules = join(folder, 'data/pg_hba.conf')
  writeFileSync(rules, readFileSync(rules, 'utf8').replace(/^host\b/gm, 'hostssl'))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('SELECT pg_reload_conf()')
  await client.end()
  return cert
}

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('with TLS only', start, async (server) => {
    const certificate = await requireTls(server)
    const driverOf = (parameters: string) => postgresDriver({ url: `${server.url}?${parameters}` })

    it('is trusted with the certificate of its authority', async () => {
      const driver = driverOf(`sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`)
      after(() => driver.close())
      await driver.setup()
      await driver.write([session('a')], NOW)
      expect(await driver.count(NOW)).toBe(1)
    })

    troubleSuite(
      { describe, it },
      {
        'without TLS': { code: 'ACCESS_DENIED', driver: () => driverOf('sslmode=disable') },
        'without trust': { code: 'UNAVAILABLE', driver: () => driverOf('sslmode=verify-full') },
      },
    )
  })
})
