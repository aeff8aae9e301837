import type { Driver } from '@session-stores/core'
import { postgresServers, sendSignal } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { NOW, newTable, session, toolsFor } from './support/servers.ts'

/** How long core waits for a call of these drivers. Milliseconds. */
const TIME_LIMIT = 500
const PATIENCE = { timeout: 20_000, interval: 10 }

const tombstone = (key: string) => session(key, { data: null, expect: undefined, tag: 'new' })
const update = (key: string) => session(key, { data: 'changed', expect: 'tag', tag: 'new' })
const touch = (key: string) => ({ key, user: null, expiresAt: NOW + 2 * HOUR })
const expired = { expiresAt: NOW - HOUR }

/** Every statement that changes something, on one row and on many, each on rows of its own. */
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
    const { pool, poolOf, driverOf, one, clock, begin, countBackends } = toolsFor(server)

    const dump = (table: string) =>
      one(`SELECT json_agg(to_json(r) ORDER BY key) FROM ${table} AS r`) as Promise<unknown>
    /** Waits until the calls that have begun are late by the server's clock. */
    async function waitForLimit(): Promise<void> {
      const late = (await clock()) + 2 * TIME_LIMIT
      await vi.waitFor(async () => expect(await clock()).toBeGreaterThan(late), PATIENCE)
    }
    /** Waits until no connection of this name is at work on what was sent to it. */
    const waitForIdle = (name: string) =>
      vi.waitFor(async () => expect(await countBackends(name, "state <> 'idle'")).toBe(0), PATIENCE)

    /** Returns a driver whose connections have the name of its table. */
    async function driverNamedByTable(kind: 'owned' | 'lent') {
      const table = newTable()
      const parameter = `application_name=${table}`
      const driver =
        kind === 'owned'
          ? await driverOf({ pool: undefined, url: `${server.url}?${parameter}`, table } as never)
          : await driverOf({ pool: poolOf({ application_name: table, max: 10 }), table })
      await driver.write(rows, NOW - 2 * HOUR)
      await openConnections(driver, table)
      await driver.setup(TIME_LIMIT)
      return driver
    }

    /** Opens a connection for each change, which may take longer than `TIME_LIMIT` on a busy machine. */
    async function openConnections(driver: Driver, table: string): Promise<void> {
      const commit = await begin(`LOCK TABLE ${table}`)
      const reads = changes.map(() => driver.read(['a']))
      await waitForLocks(table)
      await commit()
      await Promise.all(reads)
    }

    /** Waits until as many connections of this name wait for a lock as there are changes. */
    const waitForLocks = (name: string) =>
      vi.waitFor(
        async () => expect(await countBackends(name, "wait_event_type = 'Lock'")).toBe(changes.length),
        PATIENCE,
      )

    it.each(['owned', 'lent'] as const)('does nothing when its locks become free (%s pool)', async (kind) => {
      const driver = await driverNamedByTable(kind)
      const { table } = driver
      const before = await dump(table)
      const commit = await begin(`SELECT FROM ${table} FOR UPDATE`)
      const calls = changes.map((change) => Promise.resolve(change(driver)).catch((error) => error.code))
      await waitForLocks(table)
      await waitForLimit()
      // The transaction changes no row, so that no statement checks its rows anew.
      await commit()
      const codes = await Promise.all(calls)
      expect(new Set(codes)).toEqual(new Set([kind === 'owned' ? 'TIMEOUT' : 'UNAVAILABLE']))
      await waitForIdle(table)
      expect(await dump(table)).toEqual(before)
    })

    it('does nothing when the backend that hung goes on', async () => {
      const driver = await driverNamedByTable('owned')
      const { table } = driver
      const before = await dump(table)
      const backends = 'SELECT pid FROM pg_stat_activity WHERE application_name = $1'
      for (const change of changes) {
        const { rows } = await pool.query(backends, [table])
        const pids = rows.map(({ pid }) => pid)
        try {
          sendSignal(pids, 'SIGSTOP')
          await expect(change(driver)).rejects.toMatchObject({ code: 'TIMEOUT' })
          await waitForLimit()
        } finally {
          sendSignal(pids, 'SIGCONT')
        }
        await waitForIdle(table)
        expect(await dump(table)).toEqual(before)
        // The next change needs an open connection.
        await driver.ping()
      }
    })

    it('is not sent when a connection becomes free', async () => {
      const driver = await driverNamedByTable('owned')
      const { table } = driver
      const before = await dump(table)
      const commit = await begin(`LOCK TABLE ${table}`)
      // The driver has 8 connections, which are busy for longer than the next call waits for one.
      const reads = Array.from({ length: 8 }, () => Promise.resolve(driver.read(['a'])).catch(() => {}))
      const late = Promise.resolve(driver.write([session('new')], NOW))
      await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      await commit()
      await Promise.all(reads)
      await waitForIdle(table)
      expect(await dump(table)).toEqual(before)
    })
  })

  describeWith('the server’s clock', start, (server) => {
    const { pool, driverOf, newSchema } = toolsFor(server)

    it('may be set at any time, and the next write reads it again and lands', async () => {
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
