import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { inspect, promisify } from 'node:util'
import { type Driver, SessionStoreError, type Write } from '@session-stores/core'
import { postgresProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { afterAll, afterEach, expect, it } from 'vitest'
import { PostgresStore, postgresDriver } from '../src/index.ts'

const now = Date.now()
const session = (key: string, more: Partial<Write> = {}): Write => ({
  key,
  data: '{}',
  tag: 'tag',
  user: null,
  createdAt: now,
  expiresAt: now + 3_600_000,
  ...more,
})

const start = () => postgresProcess({ password: 'hunter2' })

describeWith('a PostgreSQL of our own', start, (server) => {
  const pool = new pg.Pool({ connectionString: server.url })
  // Connections that nobody uses break when the server ends.
  pool.on('error', () => {})
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })
  afterAll(() => pool.end())

  const driverOf = (url: string | URL, table = 'sessions'): Driver => {
    const driver = postgresDriver({ url: String(url), table })
    undo.push(() => driver.close())
    return driver
  }
  function urlWith(change: (url: URL) => void): URL {
    const url = new URL(server.url)
    change(url)
    return url
  }
  /** What it failed with; nothing in it gives a password or a payload away. */
  async function failure(work: Promise<unknown> | unknown): Promise<SessionStoreError> {
    const error = await Promise.resolve(work).then(
      () => undefined,
      (error) => error,
    )
    expect(error).toBeInstanceOf(SessionStoreError)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/hunter2|the-payload|the-key/)
    return error
  }

  it('lets the process end by itself', async () => {
    const args = [join(import.meta.dirname, 'process.ts'), server.url, 'by_process']
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env: {} })
    expect(JSON.parse(stdout)).toMatchObject({ name: 'Ada' })
    expect(stderr).toBe('')
  })

  it.each([
    ['a wrong password', 'ACCESS_DENIED', (url: URL) => (url.password = 'wrong')],
    ['no password', 'ACCESS_DENIED', (url: URL) => (url.password = '')],
    ['an unknown role', 'ACCESS_DENIED', (url: URL) => (url.username = 'nobody')],
    ['an unknown database', 'UNAVAILABLE', (url: URL) => (url.pathname = '/none')],
    ['an unknown host', 'UNAVAILABLE', (url: URL) => (url.hostname = 'nowhere.invalid')],
    ['a port that nobody listens on', 'UNAVAILABLE', (url: URL) => (url.port = '1')],
    [
      'read-only transactions',
      'READ_ONLY',
      (url: URL) => (url.search = 'options=-c default_transaction_read_only=on'),
    ],
  ])('%s: %s', async (_, code, change) => {
    expect(await failure(driverOf(urlWith(change), 'none').setup())).toMatchObject({ code })
  })

  it('a role that has no connection left: UNAVAILABLE', async () => {
    await pool.query(`CREATE ROLE few LOGIN PASSWORD 'hunter2' CONNECTION LIMIT 0`)
    const driver = driverOf(urlWith((url) => (url.username = 'few')))
    expect(await failure(driver.setup())).toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('sessions are read where nothing can be written: READ_ONLY', async () => {
    const writer = driverOf(server.url)
    await writer.setup()
    await writer.write([session('the-key')], now)
    const reader = driverOf(urlWith((url) => (url.search = 'options=-c default_transaction_read_only=on')))
    await reader.setup()
    expect(await reader.read(['the-key'])).toMatchObject([{ key: 'the-key' }])
    for (const writes of [[session('a')], [session('a'), session('b', { expect: 'tag' })]])
      expect(await failure(reader.write(writes, now))).toMatchObject({ code: 'READ_ONLY' })
  })

  it("the server's own timeouts: TIMEOUT", async () => {
    const driver = driverOf(urlWith((url) => (url.search = 'statement_timeout=50')))
    await driver.setup()
    await driver.write([session('the-key')], now)
    const client = await pool.connect()
    undo.push(() => client.release())
    await client.query('BEGIN; SELECT FROM sessions FOR UPDATE')
    const touch = driver.touch([{ key: 'the-key', user: null, expiresAt: now }], now)
    expect(await failure(touch)).toMatchObject({ code: 'TIMEOUT' })
    await client.query('ROLLBACK')
  })

  it('what PostgreSQL says about rows and parameters is left out of the cause', async () => {
    const driver = driverOf(server.url, 'checked')
    await driver.setup()
    await pool.query(`ALTER TABLE checked ADD CONSTRAINT no CHECK (data <> 'the-payload')`)
    const write = [session('the-key', { data: 'the-payload' })]
    const error = await failure(driver.write(write, now))
    expect(error).toMatchObject({ code: 'BAD_STORAGE', cause: { code: '23514' } })
    expect(await failure(driver.write([...write, session('z')], now))).toMatchObject({ code: 'BAD_STORAGE' })
  })

  it('a table that goes away: BAD_STORAGE, until it is back', async () => {
    const driver = driverOf(server.url, 'dropped')
    await driver.setup()
    await driver.write([session('the-key')], now)
    await pool.query('DROP TABLE dropped')
    for (const call of [
      () => driver.read(['the-key']),
      () => driver.ping(),
      () => driver.write([session('b')], now),
    ])
      expect(await failure(call())).toMatchObject({ code: 'BAD_STORAGE' })
    await driver.setup()
    expect(await driver.write([session('the-key')], now)).toEqual(['the-key'])
  })

  it('a call after close: CLOSED', async () => {
    const driver = driverOf(server.url)
    await driver.setup()
    await Promise.all([driver.close(), driver.close()])
    expect(await failure(driver.ping())).toMatchObject({ code: 'CLOSED' })
  })

  it('the first call that finds the server finds the sessions, after a restart', async () => {
    const store = new PostgresStore({ url: server.url, pruneInterval: false })
    const lent = new PostgresStore({ pool, pruneInterval: false })
    undo.push(() => Promise.all([store.close(), lent.close()]))
    const cookie = { originalMaxAge: 3_600_000, path: '/' }
    // Many connections at once, of which none survives.
    await Promise.all(Array.from({ length: 600 }, (_, i) => store.set(`id-${i}`, { cookie } as never)))
    await lent.get('id-0')
    await server.kill()
    expect(await failure(store.get('id-0'))).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await failure(lent.set('id-0', { cookie } as never))).toMatchObject({ code: 'UNAVAILABLE' })
    await server.start()
    const found = Array.from({ length: 600 }, (_, i) => store.get(`id-${i}`))
    expect((await Promise.all(found)).filter((found) => found === null)).toEqual([])
    expect(await lent.length()).toBeGreaterThanOrEqual(600)
  })

  it('a server that is silent is TIMEOUT, and serves again when it answers', async () => {
    const store = new PostgresStore({ url: server.url, operationTimeout: 300, pruneInterval: false })
    undo.push(() => store.close())
    await store.ping()
    await pool.query('SELECT 1')
    const { rows } = await pool.query(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'session-stores'",
    )
    for (const { pid } of rows) process.kill(pid, 'SIGSTOP')
    expect(await failure(store.get('the-id'))).toMatchObject({ code: 'TIMEOUT' })
    for (const { pid } of rows) process.kill(pid, 'SIGCONT')
    expect(await store.get('the-id')).toBe(null)
  })
})
