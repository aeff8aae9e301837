import { PostgresStore } from '@session-stores/postgres'
import connectPgSimple10 from 'connect-pg-simple'
import connectPgSimple8 from 'connect-pg-simple-8'
import session from 'express-session'
import pg from 'pg'
import { connectPgSimple } from '../../../src/index.ts'
import type { Format, Old, Place } from '../places.ts'

const openPostgres =
  (connect: typeof connectPgSimple10) =>
  async ({ url, namespace }: Place): Promise<Old> => {
    const pool = new pg.Pool({ connectionString: url, max: 8 })
    pool.on('error', () => {})
    await pool.query(`CREATE SCHEMA IF NOT EXISTS "${namespace}"`)
    const Store = connect(session)
    const where = { pool, schemaName: namespace }
    const store = new Store({ ...where, createTableIfMissing: true, pruneSessionInterval: false })
    return {
      store,
      reader: connectPgSimple(where),
      corrupt: (id, text) =>
        pool.query(`UPDATE "${namespace}".session SET sess = $2 WHERE sid = $1`, [id, JSON.stringify(text)]),
      async close() {
        await store.close()
        await pool.end()
      },
    }
  }

const openNew: Format['openNew'] = ({ url, namespace }, options) =>
  new PostgresStore({ url, table: `new_${namespace}`, ...options })

export default {
  'connect-pg-simple-8': { open: openPostgres(connectPgSimple8), openNew },
  'connect-pg-simple-10': { open: openPostgres(connectPgSimple10), openNew },
} as Readonly<Record<string, Format>>
