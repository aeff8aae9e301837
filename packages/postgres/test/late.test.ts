import type { Driver } from '@session-stores/core'
import { postgresServers } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { NOW, newTable, opened, session } from './support/servers.ts'

/** How long core waits for a call of these drivers, in milliseconds. */
const TIME_LIMIT = 500
const PATIENCE = { timeout: 20_000, interval: 10 }

const tombstone = (key: string) => session(key, { data: null, expect: undefined, tag: 'new' })
const update = (key: string) => session(key, { data: 'changed', expect: 'tag', tag: 'new' })
const touch = (key: string) => ({ key, user: null, expiresAt: NOW + 2 * HOUR })
const expired = { expiresAt: NOW - HOUR }

/** Each statement that changes something, on rows of its own: on one and on many. */
const changes: ((driver: Driver) => unknown)[] = [
  (driver) => driver.write([session('a', { tag: 'new' })], NOW),
  (driver) => driver.write([session('b', { tag: 'new' }), session('c', { tag: 'new' })], NOW),
  (driver) => driver.write([update('d')], NOW),
  (driver) => driver.write([update('e'), update('f')], NOW),
  (driver) => driver.write([tombstone('g')], NOW),
  (driver) => driver.touch([touch('h')], NOW),
  (driver) => driver.touch([touch('i'), touch('j')], NOW),
]
const rows = [
  ...['a', 'b', 'c'].map((key) => session(key, expired)),
  ...['d', 'e', 'f', 'g', 'h', 'i', 'j'].map((key) => session(key)),
]

describe.each(postgresServers)('$name', ({ start }) => {
  describeWith('a call that was given up', start, (server) => {
    const { pool, poolOf, driverOf, one, clock } = opened(server)

    const dump = (table: string) =>
      one(`SELECT json_agg(to_json(r) ORDER BY key) FROM ${table} AS r`) as Promise<unknown>
    const passed = (milliseconds: number) => async () => {
      const begin = await clock()
      await vi.waitFor(async () => expect(await clock()).toBeGreaterThan(begin + milliseconds), PATIENCE)
    }
    const isOver = passed(2 * TIME_LIMIT)
    const backends = `FROM pg_stat_activity WHERE application_name = $1`
    /** Nothing of these connections is at work, nor is anything that was sent to them. */
    const settled = (name: string) =>
      vi.waitFor(
        async () => expect(await one(`SELECT count(*)::int ${backends} AND state <> 'idle'`, [name])).toBe(0),
        PATIENCE,
      )

    /** A driver, the server's connections of which are called as its table is. */
    async function named(kind: 'owned' | 'lent') {
      const table = newTable()
      const parameter = `application_name=${table}`
      const driver =
        kind === 'owned'
          ? await driverOf({ pool: undefined, url: `${server.url}?${parameter}`, table } as never)
          : await driverOf({ pool: poolOf({ application_name: table, max: 10 }), table })
      await driver.setup(TIME_LIMIT)
      await driver.write(rows, NOW - 2 * HOUR)
      return driver
    }

    it.each(['owned', 'lent'] as const)('does nothing when its locks are free (%s pool)', async (kind) => {
      const driver = await named(kind)
      const { table } = driver
      const before = await dump(table)
      const lock = await pool.connect()
      after(() => lock.release(true))
      await lock.query(`BEGIN; SELECT FROM ${table} FOR UPDATE`)
      const calls = changes.map((change) => Promise.resolve(change(driver)).catch((error) => error.code))
      const waiting = `SELECT count(*)::int ${backends} AND wait_event_type = 'Lock'`
      await vi.waitFor(async () => expect(await one(waiting, [table])).toBe(changes.length), PATIENCE)
      await isOver()
      // The rows stay as they were, so that no statement looks at them anew.
      await lock.query('COMMIT')
      const codes = await Promise.all(calls)
      expect(new Set(codes)).toEqual(new Set([kind === 'owned' ? 'TIMEOUT' : 'UNAVAILABLE']))
      await settled(table)
      expect(await dump(table)).toEqual(before)
    })

    it('does nothing when the backend goes on that hung', async () => {
      const driver = await named('owned')
      const { table } = driver
      const before = await dump(table)
      for (const change of changes) {
        const pids = (await pool.query(`SELECT pid ${backends}`, [table])).rows.map(({ pid }) => pid)
        for (const pid of pids) process.kill(pid, 'SIGSTOP')
        try {
          await expect(change(driver)).rejects.toMatchObject({ code: 'TIMEOUT' })
          await isOver()
        } finally {
          for (const pid of pids) process.kill(pid, 'SIGCONT')
        }
        await settled(table)
        expect(await dump(table)).toEqual(before)
        // There must be a connection to hang.
        await driver.ping()
      }
    })

    it('is not sent when there is a connection', async () => {
      const driver = await named('owned')
      const { table } = driver
      const before = await dump(table)
      const lock = await pool.connect()
      after(() => lock.release(true))
      await lock.query(`BEGIN; LOCK TABLE ${table}`)
      // The driver has 8 connections. Each waits for longer than the calls after them wait for one.
      const reads = Array.from({ length: 8 }, () => Promise.resolve(driver.read(['a'])).catch(() => {}))
      const late = Promise.resolve(driver.write([session('new')], NOW))
      await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await lock.query('COMMIT')
      await Promise.all(reads)
      await settled(table)
      expect(await dump(table)).toEqual(before)
    })
  })

  describeWith('the server’s clock', start, (server) => {
    const { pool, driverOf, newSchema } = opened(server)

    it('may be set at any time: the next write learns of it, and lands', async () => {
      const schema = await newSchema(newTable())
      await pool.query(`
        CREATE TABLE ${schema}.clock AS SELECT interval '0' AS ahead;
        CREATE FUNCTION ${schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
          AS 'SELECT pg_catalog.clock_timestamp() + ahead FROM ${schema}.clock'`)
      const search = new URLSearchParams({ options: `-c search_path=${schema},pg_catalog` })
      const url = `${server.url}?${search}`
      const driver = await driverOf({ pool: undefined, url, schema, table: 'sessions' } as never)
      await driver.setup(TIME_LIMIT)
      await driver.write([session('a')], NOW)
      await pool.query(`UPDATE ${schema}.clock SET ahead = '1 hour'`)
      expect(await driver.write([update('a')], NOW)).toEqual(['a'])
      await driver.touch([touch('a')], NOW)
      expect(await driver.ping()).toBeGreaterThan(Date.now() + HOUR / 2)
      expect(await driver.read(['a'])).toMatchObject([{ tag: 'new', expiresAt: NOW + 2 * HOUR }])
    })
  })
})
