import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { troubleSuite } from '@session-stores/driver-suite'
import { mongoProcess, type ProcessServer, selfSigned } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { driverOf, NOW, session } from './support/servers.ts'

/** Starts a server with TLS only and a self-signed certificate. */
async function startWithTls(): Promise<ProcessServer & { certificate: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  const { cert: certificate, key } = selfSigned(folder)
  const both = join(folder, 'both.pem')
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'))
  const tls = ['--tlsMode', 'allowTLS', '--tlsCertificateKeyFile', both, '--tlsCAFile', certificate]
  const server = await mongoProcess({ args: [...tls, '--tlsAllowConnectionsWithoutCertificates'] })
  const client = new MongoClient(server.url)
  for (const tlsMode of ['preferTLS', 'requireTLS'])
    await client.db('admin').command({ setParameter: 1, tlsMode })
  await client.close()
  const stop = async () => {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
  return { ...server, certificate, stop, [Symbol.asyncDispose]: stop }
}

describeWith('a server with TLS only', startWithTls, ({ url, certificate }) => {
  const impatient = `${url}?serverSelectionTimeoutMS=200`

  it('is trusted with the certificate of its authority', async () => {
    const driver = await driverOf({
      url: `${impatient}&tls=true&tlsCAFile=${encodeURIComponent(certificate)}`,
    })
    await driver.write([session('a')], NOW)
    expect(await driver.count(NOW)).toBe(1)
  })

  troubleSuite(
    { describe, it },
    {
      'without TLS': { code: 'UNAVAILABLE', driver: () => mongoDriver({ url: impatient }) },
      'without trust': { code: 'UNAVAILABLE', driver: () => mongoDriver({ url: `${impatient}&tls=true` }) },
    },
  )
})
