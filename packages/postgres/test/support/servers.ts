import type { Driver } from '@session-stores/core'
import { sessionsAt } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { afterAll } from 'vitest'
import { type PostgresOptions, postgresDriver } from '../../src/index.ts'

export const NOW: number = Date.now()
/** A create of a session that lives for an hour, unless told otherwise. */
export const session: ReturnType<typeof sessionsAt> = (key, more) =>
  sessionsAt(NOW)(key, { expect: '', ...more })

let tables = 0
export const newTable = (): string => `test_${process.pid}_${++tables}`

/** What the tests of one server work with. */
export interface Server {
  pool: pg.Pool
  /** Another pool, with other settings. */
  poolOf(config: pg.PoolConfig): pg.Pool
  /** On a table of its own, dropped after the test; set up. */
  driverOf(options?: Partial<PostgresOptions>): Promise<Driver & { table: string }>
  /** The first value of the first row. */
  one(sql: string, values?: unknown[]): Promise<unknown>
  /** The time of the server's clock, in epoch milliseconds. */
  clock(): Promise<number>
  /** Dropped after the test. */
  newSchema(name: string): Promise<string>
}

export function opened({ url }: { url: string }): Server {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  // Connections that nobody uses break when the server ends.
  pool.on('error', () => {})
  afterAll(() => pool.end())
  const one: Server['one'] = async (sql, values = []) =>
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
  }
}
