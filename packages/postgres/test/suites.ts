import { join } from 'node:path'
import {
  driverSuite,
  everyRuleSuite,
  expressSuite,
  type ProcessBackend,
  processRaceSuite,
  raceSuite,
  storeSuite,
} from '@session-stores/conformance'
import pg from 'pg'
import { afterAll, describe, it } from 'vitest'
import { postgresDriver } from '../src/index.ts'

const runner = { describe, it }
let made = 0

/** The whole contract on a server. */
export function contract({ url }: { url: string }, options: { namedStatements?: boolean } = {}): void {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  afterAll(() => pool.end())

  /** Tables, each of which two drivers share as two processes do. */
  function make(): ProcessBackend {
    const table = `test_${process.pid}_${++made}`
    const driver = () => postgresDriver({ pool, table, ...options })
    return {
      drivers: [driver(), driver()],
      remote: { module: join(import.meta.dirname, 'remote.ts'), config: { url, table, ...options } },
      dump: async () => JSON.stringify((await pool.query(`SELECT * FROM ${table}`)).rows),
      async dispose() {
        await pool.query(`DROP TABLE IF EXISTS ${table}`)
      },
    }
  }

  driverSuite(runner, make)
  storeSuite(runner, make)
  expressSuite(runner, make)
  raceSuite(runner, make)
  processRaceSuite(runner, make)
  everyRuleSuite(runner, make)
}
