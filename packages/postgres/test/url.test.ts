import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { postgresProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { afterAll, describe, expect, it } from 'vitest'
import { postgresDriver } from '../src/index.ts'

/** A password with characters that must be encoded in a URL. */
const PASSWORD = 'hunter2 /#?%25@[:é'
const folder = mkdtempSync(join(tmpdir(), 'socket-'))
chmodSync(folder, 0o777)
afterAll(() => rmSync(folder, { recursive: true }))

const startOnSocket = () =>
  postgresProcess({ password: PASSWORD, args: ['-c', `unix_socket_directories=${folder}`] })

describeWith('a URL', startOnSocket, (server) => {
  const { port } = new URL(server.url)
  const password = encodeURIComponent(PASSWORD)
  const at = `postgres:${password}@`

  it.each([
    ['of a host, with a password that must be encoded', `postgresql://${at}127.0.0.1:${port}/postgres`],
    ['of a folder in the parameters', `postgres://${at}/postgres?host=${folder}&port=${port}`],
    [
      'with everything in the parameters',
      `postgres:///postgres?host=${folder}&port=${port}&user=postgres&password=${password}`,
    ],
    ['of a folder in place of the host', `postgres://${at}${encodeURIComponent(folder)}:${port}/postgres`],
    ['of a socket', `socket://${at}${folder}?db=postgres&port=${port}`],
  ])('%s is accepted', async (_, url) => {
    const driver = postgresDriver({ url })
    after(() => driver.close())
    await driver.setup()
    expect(Math.abs((await driver.ping()) - Date.now())).toBeLessThan(60_000)
  })
})

describe('a URL', () => {
  it.each([
    'mysql://ann:hunter2@localhost',
    'ann:hunter2@localhost/database',
    'postgres://ann:hunter2/@localhost/database',
    'postgres://ann:hunter2#@localhost/database',
    'postgres://ann:hunter2%E9@localhost/database',
    'postgres://ann:hunter2@local<host/database',
    'postgres://ann:hunter2@localhost:99999/database',
    'postgres://ann:hunter2@localhost/database?sslnegotiation=hunter2',
    '',
  ])('that pg cannot read is refused, and is not shown (%#)', (url) => {
    let error: unknown
    try {
      postgresDriver({ url })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TypeError)
    expect(inspect(error, { depth: 9, showHidden: true })).toMatch(
      /option 'url' (takes a URL that pg reads|holds a '#')/,
    )
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hunter2/)
  })

  it('whose certificate is missing makes the calls fail', async () => {
    const driver = postgresDriver({ url: `postgres://localhost/database?sslrootcert=${folder}/no.pem` })
    after(() => driver.close())
    await expect(driver.setup()).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: { code: 'ENOENT' } })
  })
})
