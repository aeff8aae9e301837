import type { Driver, Write } from '@session-stores/core'
import pg from 'pg'
import { afterAll, afterEach } from 'vitest'
import { type PostgresOptions, postgresDriver } from '../src/index.ts'

const undo: (() => unknown)[] = []

/** Done after the test, the latest first. */
export function after(step: () => unknown): void {
  undo.push(step)
}

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

export const NOW: number = Date.now()
export const HOUR = 3_600_000

/** An upsert of a session that lives for an hour, unless told otherwise. */
export const session = (key: string, more: Partial<Write> = {}): Write => ({
  key,
  data: '{}',
  tag: 'tag',
  user: null,
  createdAt: NOW,
  expiresAt: NOW + HOUR,
  ...more,
})

export const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `key-${String(i).padStart(6, '0')}`)

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
  /** Dropped after the test. */
  newSchema(name: string): Promise<string>
}

export function opened({ url }: { url: string }): Server {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  // Connections that nobody uses break when the server ends.
  pool.on('error', () => {})
  afterAll(() => pool.end())
  return {
    pool,
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
    one: async (sql, values = []) => (await pool.query({ text: sql, values, rowMode: 'array' })).rows[0]?.[0],
    async newSchema(name) {
      await pool.query(`CREATE SCHEMA ${pg.escapeIdentifier(name)}`)
      after(() => pool.query(`DROP SCHEMA ${pg.escapeIdentifier(name)} CASCADE`))
      return name
    },
  }
}
