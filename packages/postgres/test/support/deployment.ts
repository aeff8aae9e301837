import { join } from 'node:path'
import type { Deployment, MakeDeployment } from '@session-stores/driver-suite'
import pg from 'pg'
import { afterAll } from 'vitest'
import { postgresDriver } from '../../src/index.ts'

let tables = 0

/** Returns a function that makes deployments on a server, each on a table of its own. */
export function deploymentsOn(
  { url }: { url: string },
  options: { namedStatements?: boolean } = {},
): MakeDeployment {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  afterAll(() => pool.end())

  return (): Deployment => {
    const table = `test_${process.pid}_${++tables}`
    return {
      // One driver borrows its connections, and the other one opens them itself.
      drivers: [postgresDriver({ pool, table, ...options }), postgresDriver({ url, table, ...options })],
      remote: { module: join(import.meta.dirname, 'remote.ts'), config: { url, table, ...options } },
      dump: async () => JSON.stringify((await pool.query(`SELECT * FROM ${table}`)).rows),
      async dispose() {
        await pool.query(`DROP TABLE IF EXISTS ${table}`)
      },
    }
  }
}
