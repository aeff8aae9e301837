import {
  driverSuite,
  expressSuite,
  raceSuite,
  type StoreBackend,
  storeSuite,
} from '@session-stores/conformance'
import { postgresServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import pg from 'pg'
import { afterAll, describe, it } from 'vitest'
import { postgresDriver } from '../src/index.ts'

let tables = 0

describeWith('PostgreSQL', postgresServer, ({ url }) => {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  afterAll(() => pool.end())

  function backend(): StoreBackend {
    const table = `test_${process.pid}_${++tables}`
    return {
      drivers: [postgresDriver({ pool, table }), postgresDriver({ pool, table })],
      dispose: async () => {
        await pool.query(`DROP TABLE IF EXISTS ${table}`)
      },
    }
  }
  driverSuite({ describe, it }, backend)
  storeSuite({ describe, it }, backend)
  expressSuite({ describe, it }, backend)
  raceSuite({ describe, it }, backend)
})
