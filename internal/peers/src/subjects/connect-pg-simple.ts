import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Subject } from '@session-stores/conformance'
import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import pg from 'pg'
import { newSchema, postgres, postgresPlace, withSettings } from '../places.ts'
import { readVersions } from '../versions.ts'

/**
 * The documentation recommends this SQL. Two stores that create the table at the same time would
 * disturb each other.
 */
const sql = readFileSync(createRequire(import.meta.url).resolve('connect-pg-simple/table.sql'), 'utf8')
  // Current versions of PostgreSQL do not support OIDs in rows.
  .replace('WITH (OIDS=FALSE)', '')

const PgStore = connectPgSimple(session)

/**
 * Returns SQL that creates a table. Its constraint and index are named after the table, so that
 * several tables can exist.
 */
function tableSql(name: string): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  return sql
    .replaceAll('"session"', quoted(name))
    .replace('"session_pkey"', quoted(`${name}_pkey`))
    .replace('"IDX_session_expire"', quoted(`IDX_${name}`))
}

const subject: Subject = {
  name: 'connect-pg-simple',
  versions: readVersions(['connect-pg-simple', 'pg'], await postgres()),
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
      // `corrupt` is missing because the column accepts only valid JSON.
      async dispose() {
        for (const store of stores) await store.close()
        await Promise.all(pools.map((pool) => pool.end()))
        await place.close()
      },
    }
  },
}

export default subject
