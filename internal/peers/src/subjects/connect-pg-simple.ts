import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Subject } from '@session-stores/conformance'
import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import pg from 'pg'
import { newSchema, postgres, postgresPlace, withSettings } from '../places.ts'
import { versions } from '../versions.ts'

/** As its documentation has people make it. Made by the stores themselves, two that start at once are in each other's way. */
const sql = readFileSync(createRequire(import.meta.url).resolve('connect-pg-simple/table.sql'), 'utf8')
  // No PostgreSQL of today has rows with OIDs.
  .replace('WITH (OIDS=FALSE)', '')

const PgStore = connectPgSimple(session)

/** Makes the table of this name; its constraint and its index are named after it, so that a second one has its own. */
function tableSql(name: string): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  return sql
    .replaceAll('"session"', quoted(name))
    .replace('"session_pkey"', quoted(`${name}_pkey`))
    .replace('"IDX_session_expire"', quoted(`IDX_${name}`))
}

const subject: Subject = {
  name: 'connect-pg-simple',
  versions: versions(['connect-pg-simple', 'pg'], await postgres()),
  accepts: ['ttl', 'disableTouch', 'timeZones', 'tables', 'pruneInterval'],
  supports: { all: false, length: false, clear: false },
  async make({ ttl, disableTouch, timeZones, tables = ['session', 'session'], pruneInterval = false }) {
    const place = await postgresPlace()
    const pools: pg.Pool[] = []
    await newSchema(place.direct, place.name)
    const store = (i: 0 | 1): InstanceType<typeof PgStore> => {
      const pool = new pg.Pool({
        connectionString: withSettings(place.url, { timezone: timeZones?.[i], search_path: place.name }),
        max: 3,
        connectionTimeoutMillis: 3000,
      })
      pool.on('error', () => {})
      pools.push(pool)
      return new PgStore({
        pool,
        schemaName: place.name,
        tableName: tables[i],
        // In seconds.
        pruneSessionInterval: pruneInterval && pruneInterval / 1000,
        ...(disableTouch !== undefined && { disableTouch }),
        ...(ttl !== undefined && { ttl: ttl / 1000 }),
        errorLog() {},
      })
    }
    const stores = [store(0), store(1)] as const
    for (const name of new Set(tables)) await pools[0]!.query(tableSql(name))
    return {
      stores,
      ...place.hooks,
      async stored() {
        const { rows } = await pools[0]!.query('SELECT count(*)::int AS count FROM "session"')
        return rows[0].count
      },
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
