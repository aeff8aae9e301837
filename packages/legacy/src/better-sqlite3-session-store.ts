import {
  checkOptions,
  exactlyOne,
  type LegacyReader,
  type LegacySession,
  meant,
  type OptionHints,
  type OptionRule,
  SessionStoreError,
} from '@session-stores/core'
import { makeReader, ONLY_READ, parseWith, toRow, toSession } from './rows.ts'

const NAME = 'better-sqlite3-session-store'
/** The table of the package, which has no option for it. */
const TABLE = 'sessions'

/** The part of a better-sqlite3 `Database` that the reader uses. */
export interface LegacyDatabase {
  prepare(sql: string): {
    run(...values: unknown[]): unknown
    get(...values: unknown[]): unknown
    all(...values: unknown[]): unknown[]
  }
}

/** The options of `betterSqlite3SessionStore`: the database, by one of two names. */
export type BetterSqlite3SessionStoreOptions =
  | {
      /** The better-sqlite3 `Database`, as the package calls it. */
      client: LegacyDatabase
      database?: undefined
    }
  | {
      /** The better-sqlite3 `Database`, as `SqliteStore` calls it. */
      database: LegacyDatabase
      client?: undefined
    }

const database: OptionRule = [
  "a better-sqlite3 Database: new Database(file) of 'better-sqlite3'",
  (value) => typeof (value as LegacyDatabase | null)?.prepare === 'function',
]
const rules = { client: database, database }
const HINTS: OptionHints = { expired: ONLY_READ, path: meant('database', 'new Database(path)') }

interface StoredRow {
  sid: string
  sess: unknown
  expire: unknown
}

/**
 * Reads the sessions of better-sqlite3-session-store 0.1.
 *
 * @throws TypeError for a wrong option.
 * @example
 * const from = betterSqlite3SessionStore({ client })
 * new SqliteStore({ path, table: 'app_sessions', legacy: { from, until } })
 */
export function betterSqlite3SessionStore(options: BetterSqlite3SessionStoreOptions): LegacyReader {
  checkOptions(options, rules, { hints: HINTS })
  exactlyOne(options, { client: 'a better-sqlite3 Database', database: 'the same' })
  const client = (options.client ?? options.database)!

  async function decode({ sess, expire }: StoredRow): Promise<LegacySession> {
    const expiresAt = typeof expire === 'string' ? Date.parse(expire) : Number.NaN
    if (typeof sess !== 'string' || Number.isNaN(expiresAt))
      throw new SessionStoreError('CORRUPT', `${NAME}: a row holds no session`)
    return { session: toSession(NAME, await parseWith(NAME, JSON.parse, sess)), expiresAt }
  }

  return makeReader({
    name: NAME,
    hint: 'another package made the table sessions',
    refuse({ name, place }) {
      if (name !== 'sqlite' || place.toLowerCase() !== TABLE) return undefined
      return (
        `better-sqlite3-session-store keeps its sessions in the table ${TABLE}, and so does this store; give the ` +
        "store another table, such as table: 'app_sessions'"
      )
    },
    async read(id) {
      const row = client.prepare(`SELECT sid, sess, expire FROM ${TABLE} WHERE sid = ?`).get(id)
      return row === undefined ? null : decode(row as StoredRow)
    },
    async delete(id) {
      client.prepare(`DELETE FROM ${TABLE} WHERE sid = ?`).run(id)
    },
    async scan({ after = '', limit }) {
      const select = client.prepare(
        `SELECT sid, sess, expire FROM ${TABLE} WHERE sid > ? ORDER BY sid LIMIT ?`,
      )
      const stored = select.all(after, limit) as StoredRow[]
      const rows = await Promise.all(stored.map((row) => toRow(row.sid, () => decode(row))))
      return { rows, next: stored.length < limit ? undefined : stored.at(-1)!.sid }
    },
    async count() {
      const row = client.prepare(`SELECT count(*) AS count FROM ${TABLE}`).get() as { count: number }
      return row.count
    },
  })
}
