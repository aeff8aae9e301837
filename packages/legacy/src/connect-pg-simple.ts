import {
  checkOptions,
  type LegacyReader,
  type LegacySession,
  meant,
  type OptionHints,
  type OptionRule,
  SessionStoreError,
} from '@session-stores/core'
import { ENOUGH, makeReader, ONLY_READ, parseWith, toRow, toSession } from './rows.ts'

const NAME = 'connect-pg-simple'

/** The part of a pg `Pool` that the reader uses. */
export interface LegacyPool {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
}

/** The options of `connectPgSimple`, named as in connect-pg-simple. */
export interface ConnectPgSimpleOptions {
  /** A pg `Pool` on the database. */
  pool: LegacyPool
  /**
   * The schema of the table.
   *
   * @default the first one of the connection's `search_path` that has the table
   */
  schemaName?: string
  /**
   * The table.
   *
   * @default 'session'
   */
  tableName?: string
  /**
   * The time zone of the connections that connect-pg-simple had, such as `Europe/Vienna`: its table
   * holds times without a zone.
   *
   * @default the `TimeZone` of the pool's own connections
   */
  timeZone?: string
}

const isName = (value: unknown) => typeof value === 'string' && value !== '' && !value.includes('\0')
const rules: Record<keyof ConnectPgSimpleOptions, OptionRule> = {
  pool: ['a pg Pool', (value) => typeof (value as LegacyPool | null)?.query === 'function'],
  schemaName: ['the name of a schema', isName],
  tableName: ['the name of a table', isName],
  timeZone: ["the name of a time zone, such as 'Europe/Vienna' or 'UTC'", isName],
}

/** Options of connect-pg-simple that decide how it connects and writes. */
const HINTS: OptionHints = {
  conString: meant('pool', 'new pg.Pool({ connectionString })'),
  conObject: meant('pool', 'new pg.Pool(conObject)'),
  url: meant('pool', 'new pg.Pool({ connectionString: url })'),
  pgPromise: meant('pool', 'a pg Pool'),
  schema: meant('schemaName'),
  table: meant('tableName'),
  createTableIfMissing: ONLY_READ,
  ttl: ONLY_READ,
  disableTouch: ONLY_READ,
  pruneSessionInterval: ONLY_READ,
  errorLog: ONLY_READ,
}

interface StoredRow {
  sid: string
  sess: string | null
  expire: string | null
}

/** All time zones are a multiple of this many milliseconds apart. */
const ZONE_STEP = 15 * 60_000

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * Reads the sessions of connect-pg-simple 8 to 10.
 *
 * @throws TypeError for a wrong option.
 * @example
 * new PostgresStore({ pool, legacy: { from: connectPgSimple({ pool }), until } })
 */
export function connectPgSimple(options: ConnectPgSimpleOptions): LegacyReader {
  checkOptions(options, rules, { required: ['pool'], hints: HINTS })
  const { pool, schemaName, tableName = 'session', timeZone } = options
  const table = schemaName === undefined ? quote(tableName) : `${quote(schemaName)}.${quote(tableName)}`
  const zone = timeZone ?? null
  // The column has no time zone, except where somebody has changed its type.
  const expire = `floor(extract(epoch FROM CASE
    WHEN pg_typeof(expire) = 'timestamptz'::regtype THEN expire::timestamptz
    ELSE expire::timestamp AT TIME ZONE coalesce($1::text, current_setting('TimeZone')) END) * 1000)::text`
  const columns = `SELECT sid, sess::text AS sess, ${expire} AS expire FROM ${table}`

  async function query<T>(text: string, ...values: unknown[]): Promise<T[]> {
    const { rows } = await pool.query(text, values)
    return rows as T[]
  }

  async function decode({ sess, expire }: StoredRow): Promise<LegacySession> {
    let value: unknown = await parseWith(NAME, JSON.parse, sess ?? 'null')
    // The package reads a session within a JSON text, too.
    if (typeof value === 'string') value = await parseWith(NAME, JSON.parse, value)
    return { session: toSession(NAME, value), expiresAt: expire === null ? undefined : Number(expire) }
  }

  return makeReader({
    name: NAME,
    hint: `look at 'schemaName' and 'tableName' (${table}), and whether it is connect-pg-simple that made the table`,
    refuse({ name, place }) {
      const isSame = schemaName === undefined ? place.endsWith(`.${table}`) : place === table
      if (name !== 'postgres' || !isSame) return undefined
      return (
        `connect-pg-simple keeps its sessions in the table ${table}, and so does this store; give the store ` +
        "another table, such as table: 'sessions'"
      )
    },
    async read(id) {
      const [row] = await query<StoredRow>(`${columns} WHERE sid = $2`, zone, id)
      return row === undefined ? null : decode(row)
    },
    async delete(id) {
      await query(`DELETE FROM ${table} WHERE sid = $1`, id)
    },
    async scan({ after = '', limit }) {
      const stored = await query<StoredRow>(
        `${columns} WHERE sid > $2 ORDER BY sid LIMIT $3`,
        zone,
        after,
        limit,
      )
      const rows = await Promise.all(stored.map((row) => toRow(row.sid, () => decode(row))))
      return { rows, next: stored.length < limit ? undefined : stored.at(-1)!.sid }
    },
    async count() {
      const [row] = await query<{ count: string }>(`SELECT count(*)::text AS count FROM ${table}`)
      return Number(row!.count)
    },
    inspect: checkZone,
  })
}

/**
 * Refuses a wrong time zone. The row of a session ends when its cookie did at the last save, up to a
 * second later, or later by any time after a touch: never earlier, and not by the same hours in most
 * rows.
 *
 * @throws BAD_STORAGE
 */
function checkZone(sessions: readonly LegacySession[]): void {
  const steps = new Map<number, number>()
  let compared = 0
  let early = 0
  for (const { session, expiresAt } of sessions) {
    const difference = (expiresAt ?? Number.NaN) - Date.parse(String(session.cookie.expires))
    if (!Number.isFinite(difference)) continue
    compared++
    if (difference <= 1000 - ZONE_STEP) early++
    const step = Math.floor(difference / ZONE_STEP)
    if (step !== 0 && difference - step * ZONE_STEP <= 1000) steps.set(step, (steps.get(step) ?? 0) + 1)
  }
  const shifted = Math.max(early, ...steps.values())
  if (compared < ENOUGH || shifted <= compared / 2) return
  throw new SessionStoreError(
    'BAD_STORAGE',
    `the rows of ${shifted} of ${compared} sessions of connect-pg-simple end hours away from their cookies: its ` +
      "connections had another time zone; give connectPgSimple the option 'timeZone', such as 'Europe/Vienna'",
  )
}
