import {
  driverSuite,
  expressSuite,
  raceSuite,
  type StoreBackend,
  storeSuite,
} from '@session-stores/conformance'
import type { Driver, Write } from '@session-stores/core'
import { postgresServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { ddl, type PostgresOptions, type PostgresPool, PostgresStore, postgresDriver } from '../src/index.ts'

const NOW = 1_700_000_000_000
const HOUR = 3_600_000
const session = (key: string, more: Partial<Write> = {}): Write => ({
  key,
  data: '{}',
  tag: 'tag',
  user: null,
  createdAt: NOW,
  expiresAt: NOW + HOUR,
  ...more,
})
const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `key-${String(i).padStart(6, '0')}`)

const url = 'postgres://localhost'

describe('options', () => {
  it('names the option that is wrong, and what it takes', () => {
    // @ts-expect-error
    expect(() => new PostgresStore({ ulr: url })).toThrow(/unknown option 'ulr'.* url, pool, schema, table/)
    // @ts-expect-error
    expect(() => new PostgresStore({ pool: url })).toThrow("option 'pool' takes a pg Pool")
    // @ts-expect-error
    expect(() => new PostgresStore({ url, createTable: 1 })).toThrow("option 'createTable' takes a boolean")
    for (const table of ['', 'a\0b', 'x'.repeat(52), 'é'.repeat(26)])
      expect(() => postgresDriver({ url, table })).toThrow("option 'table' takes")
    expect(() => ddl({ schema: 'x'.repeat(64) })).toThrow("option 'schema' takes")
  })

  it('shows no password of a URL that it refuses', () => {
    for (const wrong of ['mysql://ann:hunter2@localhost', 'postgres://ann:hunter2@local host/'])
      expect(() => postgresDriver({ url: wrong })).toThrow(/^((?!hunter2).)*$/)
  })

  it('takes either a URL or a pool', () => {
    // @ts-expect-error
    expect(() => postgresDriver({ url, pool: new pg.Pool() })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => postgresDriver({})).toThrow(TypeError)
  })
})

describeWith('PostgreSQL', postgresServer, ({ url }) => {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })
  afterAll(() => pool.end())

  let tables = 0
  const newTable = (): string => `test_${process.pid}_${++tables}`

  function backend(): StoreBackend {
    const table = newTable()
    return {
      drivers: [postgresDriver({ pool, table }), postgresDriver({ pool, table })],
      dump: async () => JSON.stringify((await pool.query(`SELECT * FROM ${table}`)).rows),
      async dispose() {
        await pool.query(`DROP TABLE IF EXISTS ${table}`)
      },
    }
  }
  driverSuite({ describe, it }, backend)
  storeSuite({ describe, it }, backend)
  expressSuite({ describe, it }, backend)
  raceSuite({ describe, it }, backend)

  /** Another pool, with other settings. */
  function poolOf(config: pg.PoolConfig): pg.Pool {
    const other = new pg.Pool({ connectionString: url, ...config })
    other.on('error', () => {})
    undo.push(() => other.end())
    return other
  }

  /** On a table of its own, dropped after the test; set up. */
  async function driverOf(options: Partial<PostgresOptions> = {}): Promise<Driver & { table: string }> {
    const table = options.table ?? newTable()
    const driver = postgresDriver({ pool, ...options, table } as PostgresOptions)
    undo.push(() => driver.close())
    if (!options.schema) undo.push(() => pool.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(table)}`))
    await driver.setup()
    return Object.assign(driver, { table })
  }

  const one = async (sql: string, values: unknown[] = []): Promise<unknown> =>
    (await pool.query({ text: sql, values, rowMode: 'array' })).rows[0]?.[0]

  async function newSchema(name: string): Promise<string> {
    await pool.query(`CREATE SCHEMA ${pg.escapeIdentifier(name)}`)
    undo.push(() => pool.query(`DROP SCHEMA ${pg.escapeIdentifier(name)} CASCADE`))
    return name
  }

  describe('the table', () => {
    it.each([`we"ird`, `it's`, 'a b', 'a;DROP TABLE x;--', 'Übung', 'select', '$1', 'x'.repeat(51)])(
      'and its schema may be called %j',
      async (name) => {
        const schema = await newSchema(`${name}${process.pid}`.slice(-63))
        const driver = await driverOf({ schema, table: name })
        const other = await driverOf({ schema, table: 'sessions' })
        await driver.write([session('a', { user: 'u' }), session('b')], NOW)
        await other.write([session('c')], NOW)
        expect((await driver.list({ user: 'u', limit: 9 })).keys).toEqual(['a'])
        await driver.clear()
        expect((await driver.list({ limit: 9 })).keys).toEqual([])
        expect((await other.list({ limit: 9 })).keys).toEqual(['c'])
        const indexes = `SELECT count(*)::int FROM pg_indexes WHERE schemaname = $1 AND tablename = $2`
        expect(await one(indexes, [schema, name])).toBe(3)
      },
    )

    it('is made once, by processes that start together on several tables', async () => {
      const schema = await newSchema(newTable())
      const drivers = ['one', 'two', 'three'].flatMap((table) =>
        Array.from({ length: 10 }, () => postgresDriver({ url, schema, table })),
      )
      for (const driver of drivers) undo.push(() => driver.close())
      await Promise.all(drivers.map((driver) => driver.setup()))
      await Promise.all(drivers.map((driver, i) => driver.write([session(`key-${i}`)], NOW)))
      expect(await Promise.all(drivers.map((driver) => driver.count(NOW)))).toEqual(drivers.map(() => 10))
    })

    it('may be made by the SQL of ddl(), for a role that may only use it', async () => {
      const schema = await newSchema(newTable())
      const role = `${schema}_role`
      await pool.query(
        `CREATE ROLE ${role}; GRANT ${role} TO CURRENT_USER; GRANT USAGE ON SCHEMA ${schema} TO ${role}`,
      )
      undo.push(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
      const restricted = poolOf({ options: `-c role=${role}` })
      const options = { pool: restricted, schema, table: 'sessions' }
      await expect(driverOf(options)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
      await expect(driverOf({ ...options, createTable: false })).rejects.toMatchObject({
        code: 'BAD_STORAGE',
      })
      await pool.query(ddl({ schema }))
      await pool.query(ddl({ schema }))
      const driver = await driverOf(options)
      await expect(driver.read(['a'])).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
      await pool.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${schema}.sessions TO ${role}`)
      expect(await driver.write([session('a'), session('b')], NOW)).toEqual(['a', 'b'])
      await driver.touch([{ key: 'a', user: null, expiresAt: NOW }], NOW)
      expect(await driver.prune(NOW + HOUR, 10)).toBe(1)
      await driver.clear()
    })

    it('of another store is refused, and stays as it is', async () => {
      const table = newTable()
      await pool.query(`CREATE TABLE ${table} (sid varchar PRIMARY KEY, sess json, expire timestamp(6))`)
      await expect(driverOf({ table })).rejects.toMatchObject({ code: 'BAD_STORAGE' })
      await pool.query(`ALTER TABLE ${table} RENAME sid TO key`)
      await expect(driverOf({ table })).rejects.toMatchObject({ code: 'BAD_STORAGE' })
    })

    it('may have columns of your own, and be partitioned', async () => {
      const table = newTable()
      await pool.query(`
        CREATE TABLE ${table} (key text PRIMARY KEY, note text, tag text NOT NULL, owner text, data text,
          created_at bigint NOT NULL, expires_at bigint NOT NULL, purge_at bigint NOT NULL) PARTITION BY HASH (key);
        CREATE TABLE ${table}_0 PARTITION OF ${table} FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE ${table}_1 PARTITION OF ${table} FOR VALUES WITH (MODULUS 2, REMAINDER 1)`)
      const driver = await driverOf({ table })
      const keys = keysOf(50)
      expect(
        await driver.write(
          keys.map((key) => session(key)),
          NOW,
        ),
      ).toHaveLength(50)
      const updates = keys.map((key) => session(key, { expect: 'tag', tag: 'tag2' }))
      expect(await driver.write(updates, NOW)).toHaveLength(50)
      await driver.touch(
        keys.map((key) => ({ key, user: null, expiresAt: NOW })),
        NOW,
      )
      expect(await driver.prune(NOW + HOUR, 100)).toBe(50)
    })
  })

  it('touches and saves change no index (HOT)', async () => {
    const driver = await driverOf()
    const keys = keysOf(300)
    await driver.write(
      keys.map((key) => session(key, { user: 'u', data: 'x'.repeat(500) })),
      NOW,
    )
    for (let round = 0; round < 200; round++) {
      // A few rows of each page, and deadlines that move over days.
      const some = keys.filter((_, i) => i % 10 === round % 10)
      const expiresAt = NOW + HOUR + round * HOUR
      await driver.touch(
        some.map((key) => ({ key, user: 'u', expiresAt })),
        NOW,
      )
      const [expect, tag] = [round < 10 ? 'tag' : `tag-${round - 10}`, `tag-${round}`]
      await driver.write(
        some.map((key) => session(key, { user: 'u', data: 'y'.repeat(500), tag, expect, expiresAt })),
        NOW,
      )
    }
    const counters = `SELECT ARRAY[n_tup_upd, n_tup_hot_upd]::int[] FROM pg_stat_user_tables WHERE relname = $1`
    // The server's processes tell their counts about once a second.
    const [updates, hot] = await expect
      .poll(() => one(counters, [driver.table]), { timeout: 30_000 })
      .toEqual([12_000, expect.any(Number)])
      .then(() => one(counters, [driver.table]) as Promise<[number, number]>)
    expect(hot / updates).toBeGreaterThan(0.95)
  })

  it('batches with common rows never deadlock, whatever else runs', async () => {
    const deadlocks: unknown[] = []
    const watched: PostgresPool = {
      query: (query) =>
        pool.query(query).catch((error) => {
          if (error.code === '40P01') deadlocks.push(error)
          throw error
        }),
    }
    const { table } = await driverOf({ pool: watched })
    const drivers = [postgresDriver({ pool: watched, table }), postgresDriver({ pool: watched, table })]
    const keys = keysOf(40)
    await Promise.all(
      Array.from({ length: 400 }, async (_, i) => {
        const driver = drivers[i % 2]!
        const some = keys.filter((_, k) => (k * 7 + i) % 3)
        const kinds = [
          {},
          { expect: '' },
          { expect: `tag-${i - 1}` },
          { data: null, expiresAt: NOW + (i % 5) },
        ]
        const mixed = some.map((key, k) =>
          session(key, { ...kinds[(k + i) % 4], tag: `tag-${i}`, user: `${i % 3}` }),
        )
        await driver.write(mixed, NOW + (i % 7))
        await driver.touch(
          some.map((key) => ({ key, user: null, expiresAt: NOW + HOUR * (i % 4) })),
          NOW,
        )
        if (i % 5 === 0) await driver.prune(NOW + HOUR, 10)
        if (i % 50 === 0) await driver.clear()
      }),
    )
    expect(deadlocks).toEqual([])
  })

  it.each([
    ['time zone and formats', '-c TimeZone=America/St_Johns -c DateStyle=SQL,DMY -c search_path=nowhere'],
    ['encoding', '-c client_encoding=LATIN1 -c standard_conforming_strings=off -c quote_all_identifiers=on'],
    ['isolation', '-c default_transaction_isolation=serializable'],
  ])('the %s of a connection change nothing', async (_, settings) => {
    const plain = await driverOf()
    const odd = await driverOf({ pool: poolOf({ options: settings, max: 4 }), table: plain.table })
    const rows = [
      session('a', { data: '{"name":"Ωμέγα 😀\0"}' }),
      session('b', { data: '{"name":"Zoë"}', user: 'u' }),
    ]
    await odd.write(rows, NOW)
    expect(await plain.read(['a', 'b'])).toMatchObject(rows)
    expect(await odd.read(['a', 'b'])).toMatchObject(rows)
    const saves = Array.from({ length: 20 }, (_, i) =>
      odd.write(
        rows.map((row) => ({ ...row, tag: `tag-${i}` })),
        NOW,
      ),
    )
    expect(await Promise.all(saves)).toEqual(saves.map(() => ['a', 'b']))
    expect(await plain.count(NOW)).toBe(2)
  })

  it('a database in another encoding keeps every character', async () => {
    const database = newTable()
    await pool.query(`CREATE DATABASE ${database} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`)
    undo.push(() => pool.query(`DROP DATABASE ${database}`))
    const driver = await driverOf({
      pool: poolOf({ database, connectionString: undefined, ...partsOf(url) }),
    })
    const data = '{"name":"Ωμέγα 😀\0=","more":"=\n"}'
    await driver.write([session('a', { data }), session('b', { data: '=' }), session('c', { data: '' })], NOW)
    expect((await driver.read(['a', 'b', 'c'])).map((row) => row.data).sort()).toEqual(['', '=', data].sort())
  })

  it.each([true, false])('namedStatements: %s', async (namedStatements) => {
    const single = poolOf({ max: 1 })
    const driver = await driverOf({ pool: single, namedStatements })
    const other = await driverOf({ pool: single, namedStatements })
    for (let i = 0; i < 10; i++)
      for (const keys of [['a'], ['a', 'b']]) {
        await driver.write(
          keys.map((key) => session(key)),
          NOW,
        )
        await other.write(
          keys.map((key) => session(key)),
          NOW,
        )
        expect(await driver.read(keys)).toHaveLength(keys.length)
      }
    const { rows } = await single.query('SELECT count(*)::int AS names FROM pg_prepared_statements')
    expect(rows[0].names).toBe(namedStatements ? 6 : 0)
  })

  it('a pooler that mixes prepared statements up is told from other faults', async () => {
    const single = poolOf({ max: 1 })
    const driver = await driverOf({ pool: single })
    await driver.read(['a'])
    await single.query('DEALLOCATE ALL')
    await expect(driver.read(['a'])).rejects.toMatchObject({
      code: 'BACKEND',
      message: expect.stringContaining('namedStatements'),
    })
    // The pool has opened another connection.
    expect(await driver.read(['a'])).toEqual([])
  })

  it('a pool that was lent stays open, and its parsers are left alone', async () => {
    const types = { getTypeParser: () => () => 'parsed' } as pg.CustomTypesConfig
    const lent = poolOf({ types })
    const driver = await driverOf({ pool: lent })
    await driver.write([session('a')], NOW)
    expect(await driver.read(['a'])).toMatchObject([{ key: 'a', createdAt: NOW }])
    await driver.close()
    await expect(driver.ping()).rejects.toMatchObject({ code: 'CLOSED' })
    expect((await lent.query('SELECT 1 AS one')).rows).toEqual([{ one: 'parsed' }])
  })
})

function partsOf(url: string): pg.PoolConfig {
  const { hostname, port, username, password } = new URL(url)
  return {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  }
}
