import { driverSuite } from '@session-stores/driver-suite'
import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { afterAll, describe, it } from 'vitest'
import { postgresDriver } from '../src/index.ts'

const steps = [
  (table: string) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS device text DEFAULT 'unknown'`,
]
const [{ name, start }] = postgresServers as [(typeof postgresServers)[number]]
let tables = 0

describeWith(`${name}, a table that two versions share`, start, ({ url }) => {
  const pool = new pg.Pool({ connectionString: url })
  afterAll(() => pool.end())
  const make = () => {
    const table = `shared_${process.pid}_${++tables}`
    return {
      drivers: [
        postgresDriver({ pool, table }),
        postgresDriver({ url, table }, { minimum: 1, steps }),
      ] as const,
      dispose: async () => void (await pool.query(`DROP TABLE IF EXISTS ${table}`)),
    }
  }
  driverSuite({ describe, it }, make, { only: ['contract'] })
})
