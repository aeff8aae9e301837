import { timers } from '@session-stores/core'
import { postgresServer, startProxy } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { expect, it, vi } from 'vitest'
import { Lines } from '../src/lines.ts'
import { Query } from '../src/query.ts'
import { newTable, toolsFor } from './support/servers.ts'

const HOUR = 3_600_000

describeWith('connections that stay at hand', postgresServer, (server) => {
  const { one } = toolsFor(server)

  /** Returns lines on a pool of their own, which ends with the test. */
  function linesOf(config: pg.PoolConfig = {}): { lines: Lines; pool: pg.Pool } {
    const pool = new pg.Pool({ connectionString: server.url, ...config })
    pool.on('error', () => {})
    const lines = new Lines(pool)
    after(() => lines.close())
    return { lines, pool }
  }

  /** Returns a query that the caller waits for as many milliseconds. */
  const queryOf = (text: string, wait = HOUR, values: unknown[] = []): Query =>
    new Query({ text }, values, timers.uptime() + wait)

  it('go to the calls that wait for one, in their order', async () => {
    const { lines, pool } = linesOf({ max: 2 })
    const answers: number[] = []
    const calls = Array.from({ length: 20 }, async (_, i) => {
      const [row] = await lines.query(queryOf('SELECT $1::int', HOUR, [i]))
      answers.push(Number(row![0]))
    })
    await Promise.all(calls)
    expect(answers.slice().sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(pool.totalCount).toBe(2)
  })

  it('return to the pool when they have no work, and serve again', async () => {
    const { lines, pool } = linesOf()
    await lines.query(queryOf('SELECT 1'))
    expect(pool.idleCount).toBe(0)
    await vi.waitFor(() => expect(pool.idleCount).toBe(1), 4000)
    expect(await lines.query(queryOf('SELECT 2'))).toEqual([['2']])
    expect(pool.totalCount).toBe(1)
  })

  it('may be ended by the server between two calls', async () => {
    const { lines, pool } = linesOf()
    const [row] = await lines.query(queryOf('SELECT pg_backend_pid()'))
    await one('SELECT pg_terminate_backend($1::int)', [Number(row![0])])
    await vi.waitFor(() => expect(pool.totalCount).toBe(0))
    expect(await lines.query(queryOf('SELECT 2'))).toEqual([['2']])
  })

  it('may be ended by the server in the turn in which the pool gives them', async () => {
    await using proxy = await startProxy(server.url)
    const { lines } = linesOf({ connectionString: proxy.through(server.url), application_name: 'ended' })
    // The server says that it is ready, and ends the connection, before the client reads either.
    proxy.pause('toClient')
    const failure = lines.query(queryOf('SELECT 1')).catch((error: unknown) => error)
    const find = "SELECT pid FROM pg_stat_activity WHERE application_name = 'ended' AND state = 'idle'"
    const pid = await vi.waitFor(async () => {
      const found = await one(find)
      expect(found).toBeDefined()
      return found
    }, 5000)
    await one('SELECT pg_terminate_backend($1::int)', [pid])
    await vi.waitFor(async () => expect(await one(find)).toBeUndefined(), 5000)
    proxy.resume()
    expect(await failure).toMatchObject({ message: expect.stringContaining('terminat') })
    expect(await lines.query(queryOf('SELECT 2'))).toEqual([['2']])
  })

  it('end with a query that gets no answer in time, also behind one with more time', async () => {
    const { lines, pool } = linesOf()
    await lines.query(queryOf('SELECT 1'))
    const begun = timers.uptime()
    await expect(lines.query(queryOf('SELECT pg_sleep(60)', 100))).rejects.toThrow('Query read timeout')
    expect(timers.uptime() - begun).toBeGreaterThanOrEqual(99)
    expect(pool.totalCount).toBe(0)
    expect(await lines.query(queryOf('SELECT 2'))).toEqual([['2']])
  })

  it('serve a query with more time than the ones before', async () => {
    const { lines } = linesOf()
    await lines.query(queryOf('SELECT 1', 50))
    expect(await lines.query(queryOf('SELECT 2 FROM pg_sleep(0.2)'))).toEqual([['2']])
  })

  it('send no query whose time is up', async () => {
    const { lines } = linesOf()
    const table = newTable()
    await expect(lines.query(queryOf(`CREATE TABLE ${table} (a int)`, -1))).rejects.toThrow(
      'Query read timeout',
    )
    await lines.query(queryOf('SELECT 1'))
    expect(await one('SELECT to_regclass($1)', [table])).toBe(null)
  })

  it('end after an error of the server, and leave nothing to the next query', async () => {
    const { lines, pool } = linesOf()
    await expect(lines.query(queryOf('SELECT 1 / $1::int', HOUR, [0]))).rejects.toMatchObject({
      code: '22012',
    })
    expect(pool.totalCount).toBe(0)
    expect(await lines.query(queryOf('SELECT $1::text', HOUR, [null]))).toEqual([[null]])
  })

  it('end when the driver closes, also with a query on its way', async () => {
    const { lines, pool } = linesOf()
    await lines.query(queryOf('SELECT 1'))
    const last = lines.query(queryOf('SELECT 2 FROM pg_sleep(0.1)'))
    await lines.close()
    expect(await last).toEqual([['2']])
    expect(pool.totalCount).toBe(0)
  })

  it('keep the time limit for queries that a URL sets', async () => {
    const { lines } = linesOf({ query_timeout: 100 })
    await expect(lines.query(queryOf('SELECT pg_sleep(60)'))).rejects.toThrow('Query read timeout')
    expect(await lines.query(queryOf('SELECT 2'))).toEqual([['2']])
  })
})
