import type { Driver } from '@session-stores/core'
import { sessionsAt } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { afterAll } from 'vitest'
import { type PostgresOptions, postgresDriver } from '../../src/index.ts'

export const NOW: number = Date.now()
/** Returns a create of a session that lives for an hour, unless `more` says otherwise. */
export const session: ReturnType<typeof sessionsAt> = (key, more) =>
  sessionsAt(NOW)(key, { expect: '', ...more })

let tables = 0
/** Returns a name that no other table has. */
export const newTable = (): string => `test_${process.pid}_${++tables}`

/** The tools of the tests on one server. */
export interface Tools {
  pool: pg.Pool
  /** Returns another pool, with other settings. */
  poolOf(config: pg.PoolConfig): pg.Pool
  /** Returns a driver that is set up, on a table of its own that is dropped after the test. */
  driverOf(options?: Partial<PostgresOptions>): Promise<Driver & { table: string }>
  /** Returns the first value of the first row. */
  one(sql: string, values?: unknown[]): Promise<unknown>
  /** Returns the time of the server's clock, in epoch milliseconds. */
  clock(): Promise<number>
  /** Makes a schema that is dropped after the test, and returns its name. */
  newSchema(name: string): Promise<string>
  /** Begins a transaction with these statements, and returns the function that commits it. */
  begin(sql: string): Promise<() => Promise<unknown>>
  /** Returns how many connections with this `application_name` meet the condition. */
  countBackends(name: string, condition: string): Promise<unknown>
}

/** Returns tools that connect to the server by its URL. */
export function toolsFor({ url }: { url: string }): Tools {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  // Idle connections break when the server ends.
  pool.on('error', () => {})
  afterAll(() => pool.end())
  const one: Tools['one'] = async (sql, values = []) =>
    (await pool.query({ text: sql, values, rowMode: 'array' })).rows[0]?.[0]
  return {
    pool,
    one,
    clock: async () => Number(await one("SELECT date_part('epoch', clock_timestamp()) * 1000")),
    poolOf(config) {
      const other = new pg.Pool({ connectionString: url, ...config })
      other.on('error', () => {})
      after(() => other.end())
      return other
    },
    async driverOf(options = {}) {
      const table = options.table ?? newTable()
      const driver = postgresDriver({ pool, ...options, table } as PostgresOptions)
      after(() => driver.close())
      if (!options.schema) after(() => pool.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(table)}`))
      await driver.setup()
      return Object.assign(driver, { table })
    },
    async newSchema(name) {
      await pool.query(`CREATE SCHEMA ${pg.escapeIdentifier(name)}`)
      after(() => pool.query(`DROP SCHEMA ${pg.escapeIdentifier(name)} CASCADE`))
      return name
    },
    async begin(sql) {
      const client = await pool.connect()
      after(() => client.release(true))
      await client.query(`BEGIN; ${sql}`)
      return () => client.query('COMMIT')
    },
    countBackends: (name, condition) =>
      one(`SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND ${condition}`, [name]),
  }
}
