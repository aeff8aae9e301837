import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Subject } from '@session-stores/conformance'
import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import pg from 'pg'
import { postgres, postgresPlace } from '../places.ts'
import { versions } from '../versions.ts'

/** As its documentation has people make it. Made by the stores themselves, two that start at once are in each other's way. */
const table = readFileSync(createRequire(import.meta.url).resolve('connect-pg-simple/table.sql'), 'utf8')
  // No PostgreSQL of today has rows with OIDs.
  .replace('WITH (OIDS=FALSE)', '')

const PgStore = connectPgSimple(session)

const subject: Subject = {
  name: 'connect-pg-simple',
  versions: versions(['connect-pg-simple', 'pg'], await postgres()),
  accepts: ['ttl'],
  supports: { all: false, length: false, clear: false },
  async make({ ttl }) {
    const place = await postgresPlace()
    const pools: pg.Pool[] = []
    const store = (): InstanceType<typeof PgStore> => {
      const pool = new pg.Pool({ connectionString: place.url, max: 3, connectionTimeoutMillis: 3000 })
      pool.on('error', () => {})
      pools.push(pool)
      return new PgStore({
        pool,
        schemaName: place.name,
        pruneSessionInterval: false,
        ...(ttl !== undefined && { ttl: ttl / 1000 }),
        errorLog() {},
      })
    }
    const stores = [store(), store()] as const
    await pools[0]!.query(
      `CREATE SCHEMA ${place.name}; SET search_path = ${place.name}; ${table}; RESET search_path`,
    )
    return {
      stores,
      ...place.hooks,
      // Its column takes JSON only: no row can be broken.
      async dispose() {
        for (const store of stores) await store.close()
        await Promise.all(pools.map((pool) => pool.end()))
        await place.close()
      },
    }
  },
}

export default subject
