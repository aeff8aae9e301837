import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type ProcessServer, postgresServer, redisProcess, redisServer } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import pg from 'pg'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { progressLine } from '../src/output.ts'
import { type Outcome, runCommand, startCommand } from './support/command.ts'
import { flagsOf, newFolder, newPlace, openStore, saveSessions } from './support/places.ts'

/** Checks that the command ended with a message for people. */
function expectRefusal(outcome: Outcome, message: RegExp | string): void {
  expect(outcome.stderr).toMatch(message)
  expect(outcome.stderr).not.toMatch(/^\s+at /m)
  expect(outcome).toMatchObject({ code: 2, stdout: '' })
}

describe('mistakes on the command line', () => {
  test.each([
    [['list', '--stoer', 'x'], /unknown option '--stoer'\n\(Did you mean --store\?\)/],
    [['lits'], /unknown command 'lits'\n\(Did you mean list\?\)/],
    [['list'], /No store is given. Write --store redis:/],
    [
      ['list', '--store', 'mysql://localhost/app'],
      /A URL that begins with 'mysql:' is of no store. Write redis:/,
    ],
    [['list', '--store', 'somewhere'], /This is not the URL of a store/],
    [['list', '--store', 'sqlite:/no/such/file.db'], /There is no file \/no\/such\/file\.db/],
    [['list', '--store', 'redis://localhost', '--table', 'x'], /Redis has no --table. It takes --prefix/],
    [['list', '--store', 'redis://localhost', '--limit', '0'], /whole number/],
    [['list', '--store', 'redis://localhost', '--prefix', 'sess'], /a text that ends with one ':'/],
    [['list', '--store', 'mongodb://localhost', '--collection', '$x'], /the name of a collection/],
    [['list', '--store', 'redis://localhost', '--ask-password'], /--ask-password needs a terminal/],
    [['revoke', '--store', 'redis://localhost'], /Say which sessions end/],
    [['revoke', 'x', '--all', '--store', 'redis://localhost'], /Say which sessions end/],
    [['keygen'], /Say where the key goes/],
    [['keygen', '--stdout', '--alg', 'RS256'], /--alg takes ES256 or Ed25519, not RS256/],
    [['doctor', '--site', 'ftp://example.com'], /--site takes a URL such as https/],
  ])('%j', async (args, message) => {
    const outcome = await runCommand(args)
    if (args[0] === 'doctor')
      return expect(outcome).toMatchObject({ code: 2, stdout: expect.stringMatching(message) })
    expectRefusal(outcome, message)
  })

  test.each([
    'redis://:s3cret-word@localhost',
    'postgres://app:s3cret-word@localhost/app',
    'postgres://app@localhost/app?password=s3cret-word',
    'mongodb://app:s3cret-word@one,two/app',
  ])('refuses the password in %s, and does not repeat it', async (url) => {
    const asOption = await runCommand(['list', '--store', url])
    expectRefusal(asOption, /holds a password, which every user.*SESSION_STORES_URL/)
    expect(asOption.stdout + asOption.stderr).not.toContain('s3cret')
  })

  test('does not repeat a password in an argument that no command takes', async () => {
    const urls = ['mongodb://app:s3cret-word@one,two/app', 'redis://localhost?password=s3cret-word']
    const { code, stdout, stderr } = await runCommand(['list', ...urls])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/too many arguments/)
    expect(stderr).not.toContain('s3cret')
  })

  test('--help of each command fits a screen and names the exit codes', async () => {
    for (const command of [[], ['doctor'], ['list'], ['revoke'], ['prune'], ['keygen']]) {
      const { code, stdout } = await runCommand([...command, '--help'])
      const lines = stdout.trimEnd().split('\n')
      expect(code).toBe(0)
      expect(lines.length, command[0]).toBeLessThanOrEqual(23)
      expect(lines.filter((line) => line.length > 80)).toEqual([])
      expect(stdout).toMatch(/^Exit codes: 0 /m)
    }
  })
})

describe('keygen', () => {
  test.each([
    ['ES256', { kty: 'EC', crv: 'P-256' }],
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
  ])('writes a private key for %s to a new file of mode 600', async (alg, key) => {
    const file = join(newFolder(), 'key.json')
    const outcome = await runCommand(['keygen', '--alg', alg, '--out', file])
    expect(outcome).toMatchObject({ code: 0, stdout: '' })
    const jwk = JSON.parse(readFileSync(file, 'utf8'))
    expect(jwk).toMatchObject({ ...key, d: expect.any(String) })
    expect(outcome.stderr).not.toContain(jwk.d)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expectRefusal(await runCommand(['keygen', '--out', file]), /exists already, and stays as it is/)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(jwk)
  })

  test('prints a secret that the stores take', async () => {
    const { code, stdout, stderr } = await runCommand(['keygen', '--secret', '--stdout'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const place = newPlace('sqlite', join(newFolder(), 'sessions.db'))
    const store = openStore(place, { seal: { keys: [stdout.trim()] } })
    await saveSessions(store, 1)
    expect(await store.length()).toBe(1)
  })
})

test('the line of progress shows the time left', () => {
  expect(progressLine(250, 1000, 'sessions', 30_000)).toBe('25 %, 250 of 1000 sessions, 2 min left')
  expect(progressLine(0, 1000, 'sessions', 0)).toBe('0 %, 0 of 1000 sessions')
  expect(progressLine(999, 1000, 'sessions', 999_000)).toBe('99 %, 999 of 1000 sessions, 1 s left')
  expect(progressLine(7, undefined, 'rows', 1000)).toBe('7 rows')
})

describe('a store that cannot be reached', () => {
  test.each([
    ['redis://127.0.0.1:1', 'Redis'],
    ['postgres://127.0.0.1:1/app', 'PostgreSQL'],
    ['mongodb://127.0.0.1:1/app', 'MongoDB'],
  ])('%s', async (url, name) => {
    // MongoDB's client tells why it has no connection only where an attempt fails within this time.
    const [listed, checked] = await Promise.all([
      runCommand(['list', '--store', url, '--timeout', '3000']),
      runCommand(['doctor', '--store', url, '--timeout', '3000']),
    ])
    expectRefusal(listed, new RegExp(`^error: ${name} at ${url}, .*ECONNREFUSED`))
    expect(checked.code).toBe(2)
    expect(checked.stdout).toMatch(new RegExp(`^FAILED ${name} cannot be reached: .*ECONNREFUSED`, 'm'))
    expect(checked.stderr).toBe('')
  })

  test('a file that is no database', async () => {
    const file = join(newFolder(), 'sessions.db')
    writeFileSync(file, 'this is not a database, but a text of some length')
    expectRefusal(await runCommand(['list', '--store', `sqlite:${file}`]), /file is not a database/)
    const checked = await runCommand(['doctor', '--store', `sqlite:${file}`])
    expect(checked).toMatchObject({
      code: 2,
      stderr: '',
      stdout: expect.stringContaining('cannot be read as'),
    })
  })
})

describeWith('a user without rights', redisServer, (server) => {
  test('of Redis', async () => {
    const client = new Redis(server.url)
    after(() => client.disconnect())
    after(() => client.call('ACL', 'DELUSER', 'guest'))
    await client.call(
      'ACL',
      'SETUSER',
      'guest',
      'on',
      '>guest-password',
      '~*',
      '+info',
      '+select',
      '+time',
      '+echo',
    )
    const url = server.url.replace('//', '//guest@')
    const guest = { SESSION_STORES_PASSWORD: 'guest-password' }
    const refused = await runCommand(['list', '--store', url], guest)
    expectRefusal(
      refused,
      /Redis refused the credentials, or the user lacks a right: NOPERM .*scan.* \(ACCESS_DENIED\)/,
    )
    const wrong = await runCommand(['list', '--store', url], { SESSION_STORES_PASSWORD: 'wrong-password' })
    expectRefusal(wrong, /WRONGPASS/)
    for (const { stderr } of [refused, wrong]) expect(stderr).not.toMatch(/guest-password|wrong-password/)
  })
})

describeWith('a role that may only read', postgresServer, (server) => {
  test('lists, and revokes nothing', async () => {
    const place = newPlace('postgres', server.url)
    const store = openStore(place)
    const [id] = await saveSessions(store, 1)
    const role = `${place.namespace}_reader`
    const admin = new pg.Client(server.url)
    await admin.connect()
    after(() => admin.end())
    after(() => admin.query(`REVOKE ALL ON ${place.namespace} FROM ${role}; DROP ROLE ${role}`))
    await admin.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT ON ${place.namespace} TO ${role}`)
    const url = server.url.replace(/\/\/[^@]*@/, `//${role}@`)
    const read = await runCommand(['list', ...flagsOf({ ...place, url }), '--json'])
    expect(read).toMatchObject({ code: 0, stdout: expect.stringContaining(store.handle(id!)) })
    const refused = await runCommand(['revoke', '--user', 'ann', ...flagsOf({ ...place, url })])
    expectRefusal(refused, /the role lacks a right: permission denied for table .* \(ACCESS_DENIED\)/)
    expect(await store.length()).toBe(1)
  })
})

describe('an interruption', () => {
  let sockets: Socket[]
  beforeAll(() => {
    sockets = []
  })

  /** A server that takes connections and says nothing. */
  async function silentServer(): Promise<number> {
    const server = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    after(() => server.close())
    after(() => sockets.splice(0).forEach((socket) => void socket.destroy()))
    return (server.address() as { port: number }).port
  }

  test('ends a command that waits for its database, with how to go on and 130', async () => {
    const port = await silentServer()
    const args = ['revoke', '--user', 'ann', '--store', `redis://127.0.0.1:${port}`, '--timeout', '60000']
    const { child, ended } = startCommand(args)
    await vi.waitFor(() => expect(sockets).not.toEqual([]), 10_000)
    child.kill('SIGINT')
    const outcome = await ended
    expect(outcome).toMatchObject({ code: 130, stdout: '' })
    expect(outcome.stderr).toBe(
      'Interrupted. Some of the sessions may have ended. Run the same command again to end the others.\n',
    )
  })

  test('ends at once at the second signal', async () => {
    const port = await silentServer()
    const { child, ended } = startCommand([
      'list',
      '--store',
      `redis://127.0.0.1:${port}`,
      '--timeout',
      '60000',
    ])
    await vi.waitFor(() => expect(sockets).not.toEqual([]), 10_000)
    child.kill('SIGINT')
    const second = setInterval(() => child.kill('SIGINT'), 20)
    after(() => clearInterval(second))
    expect((await ended).code).toBe(130)
  })
})

describeWith('a long list', redisProcess, (server: ProcessServer) => {
  test('may be cut off by its reader', async () => {
    const place = newPlace('redis', server.url)
    await saveSessions(openStore(place), 2000)
    const { child, ended } = startCommand(['list', ...flagsOf(place)])
    child.stdout!.once('data', () => child.stdout!.destroy())
    expect(await ended).toMatchObject({ code: 0, stderr: '' })
  })
})
