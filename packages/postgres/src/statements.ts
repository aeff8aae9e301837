import { hash } from 'node:crypto'

/** The columns of the table, and their types by the names in PostgreSQL's catalog. */
export const COLUMNS: Readonly<Record<string, string>> = {
  key: 'text',
  tag: 'text',
  owner: 'text',
  created_at: 'int8',
  expires_at: 'int8',
  purge_at: 'int8',
  data: 'text',
}

/** Held while tables are made: `IF NOT EXISTS` alone fails where two processes race. Any number, the same in all. */
const SETUP_LOCK = 7_305_437_202

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const qualified = (schema: string, table: string): string => `${quoted(schema)}.${quoted(table)}`

/**
 * `purge_at` is when `prune` looks at a row, to the minute: only it is indexed, and a save or a touch that moves
 * the deadline on leaves it alone. So, and with room in each page, such an update touches no index (HOT).
 */
export function tableSql(schema: string, table: string): string {
  const t = qualified(schema, table)
  return `CREATE TABLE IF NOT EXISTS ${t} (
  key text COLLATE "C" PRIMARY KEY,
  tag text NOT NULL,
  owner text COLLATE "C",
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  purge_at bigint NOT NULL,
  data text
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX IF NOT EXISTS ${quoted(`${table}_by_purge_at`)} ON ${t} (purge_at);
CREATE INDEX IF NOT EXISTS ${quoted(`${table}_by_owner`)} ON ${t} (owner, key) WHERE owner IS NOT NULL;
`
}

export interface Statement {
  name?: string
  text: string
  /** Its last parameter is when it must have taken effect, in epoch seconds of the server's clock. */
  isTimed?: true
  /** It reads the whole table, and may take as long as core waits for such a call. */
  isLong?: true
}

/** The same on one row, with a value for each parameter, and on many, with a column (see `rows.ts`). */
type Verb = Record<'one' | 'many', Statement>

interface Statements extends Record<'read' | 'put' | 'update' | 'touch', Verb> {
  columns: Statement
  create: Statement
  clock: Statement
  /** Which of the rows are live and carry these tags. */
  carried: Statement
  list: Statement
  listUser: Statement
  count: Statement
  prune: Statement
  clear: Statement
  ping: Statement
}

/** What an update sets a row to: where in the statement each value is. */
type Replacement = Record<
  'key' | 'tag' | 'owner' | 'created_at' | 'expires_at' | 'data' | 'expect' | 'extend',
  string
>

/**
 * Every statement of the driver. Those that wait for locks on many rows take them one after the other in the
 * order of the keys, whatever plan PostgreSQL makes, so that no two wait for each other.
 */
export function statements(schema: string, table: string, named: boolean): Statements {
  const t = qualified(schema, table)
  const row = 'key, tag, owner, created_at, expires_at, data'
  /** A row as one field, because each field of an answer costs the client as much as the session in it; see `toRow`. */
  const line = `concat_ws(E'\\n', key, tag, created_at, expires_at, coalesce(owner, ''), data)`
  const isSession = (now: string) => `r.data IS NOT NULL AND r.expires_at > ${now}`
  const toMinute = (time: string) => `${time} - ${time} % 60000`
  const noLater = (deadline: string) => `least(r.purge_at, ${toMinute(deadline)})`
  const texts = (...columns: string[]) => columns.map((c) => `string_to_array(${c}, E'\\n', '')`).join()
  const toMilliseconds = (time: string) => `floor(date_part('epoch', ${time}) * 1000)::bigint`
  const clock = toMilliseconds('clock_timestamp()')

  /**
   * 1, or 0 after the latest time. Statements divide by it after every wait for a lock, because the
   * error undoes all that they did.
   */
  const isInTime = (latest: string) => `(clock_timestamp() < to_timestamp(${latest}::float8))::int`

  /** By a hash of its text, because on one pool a name must mean the same in every store. */
  const statement = (text: string): Statement =>
    named ? { name: `session_stores_${hash('sha1', text, 'base64url')}`, text } : { text }
  const timed = (text: string): Statement => ({ ...statement(text), isTimed: true })

  /** Creates, and the tombstones that always land ($7). An INSERT takes its rows as they come. */
  const put = (rows: string) => `
      INSERT INTO ${t} AS r (${row}, purge_at) ${rows}
      ON CONFLICT (key) DO UPDATE SET
        tag = excluded.tag, owner = excluded.owner, created_at = excluded.created_at,
        expires_at = excluded.expires_at, data = excluded.data, purge_at = least(r.purge_at, excluded.purge_at)
      WHERE r.expires_at <= $8::bigint OR (excluded.key = ANY ($7::text[]) AND r.tag <> excluded.tag)`

  /** A plan of an UPDATE may take its rows in any order: those that are there are locked first, each before the next. */
  const locked = (columns: string, values: string) => `
    WITH w AS MATERIALIZED (
      SELECT i.* FROM unnest(${values}) AS i (${columns})
        LEFT JOIN LATERAL (SELECT FROM ${t} AS l WHERE l.key = i.key FOR NO KEY UPDATE) AS l ON true)`

  /** Where a later deadline stays, `purge_at` may be too early, which costs `prune` one more look. */
  const update = (w: Replacement) => `
        UPDATE ${t} AS r SET tag = ${w.tag}, owner = ${w.owner}, data = ${w.data}, purge_at = ${noLater(w.expires_at)},
          created_at = CASE WHEN r.data IS NULL OR ${w.data} IS NULL THEN ${w.created_at} ELSE r.created_at END,
          expires_at = greatest(${w.expires_at},
            CASE WHEN ${w.extend} AND r.data IS NOT NULL AND ${w.data} IS NOT NULL THEN r.expires_at END)`
  const isExpected = (w: Replacement) =>
    `r.key = ${w.key} AND r.expires_at > $9::bigint AND r.tag = ${w.expect}`
  const parameters: Replacement = {
    key: '$1',
    tag: '$2::text',
    owner: '$3::text',
    created_at: '$4::bigint',
    expires_at: '$5::bigint',
    data: '$6::text',
    expect: '$7::text',
    extend: '$8::boolean',
  }
  const columns = Object.fromEntries(
    Object.keys(parameters).map((name) => [name, `w.${name}`]),
  ) as Replacement

  const touch = (deadline: string) =>
    `UPDATE ${t} AS r SET expires_at = ${deadline}, purge_at = ${noLater(deadline)}`
  const isTouched = (tag: string) => `${isSession('$4::bigint')} AND r.tag = coalesce(${tag}, r.tag)`

  return {
    columns: {
      text: `SELECT attname, typname FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
        WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    },
    // Sent together, they are one transaction.
    create: { text: `SELECT pg_catalog.pg_advisory_xact_lock(${SETUP_LOCK});\n${tableSql(schema, table)}` },
    clock: { text: `SELECT ${clock}` },
    read: {
      one: statement(`SELECT ${line} FROM ${t} WHERE key = $1`),
      many: statement(`SELECT ${line} FROM ${t} WHERE key = ANY (${texts('$1')})`),
    },
    put: {
      one: timed(`
        ${put(`VALUES ($1, $2, $3, $4::bigint, $5::bigint, $6, ${toMinute('$5::bigint')})`)}
        RETURNING 1 / ${isInTime('$9')}`),
      many: timed(`
        WITH changed AS (${put(`
          SELECT ${row}, ${toMinute('expires_at')}
          FROM unnest(${texts('$1', '$2', '$3')}, $4::bigint[], $5::bigint[], ${texts('$6')}) AS i (${row})`)}
          RETURNING r.key)
        SELECT string_agg(key, E'\\n'), 1 / ${isInTime('$9')} FROM changed`),
    },
    update: {
      one: timed(`
        ${update(parameters)} WHERE ${isExpected(parameters)}
        RETURNING 1 / ${isInTime('$10')}`),
      many: timed(`
        ${locked(
          'key, tag, owner, created_at, expires_at, data, expect, extend',
          `${texts('$1', '$2', '$3')}, $4::bigint[], $5::bigint[], ${texts('$6', '$7')}, $8::boolean[]`,
        )},
        changed AS (${update(columns)} FROM w WHERE ${isExpected(columns)} RETURNING r.key)
        SELECT string_agg(key, E'\\n'), 1 / ${isInTime('$10')} FROM changed`),
    },
    // A touch answers with no row, because each row costs the client and the server.
    touch: {
      one: timed(`
        WITH changed AS (
          ${touch('$2::bigint')} WHERE key = $1 AND ${isTouched('$3::text')}
          RETURNING 1 / ${isInTime('$5')})
        SELECT WHERE false`),
      many: timed(`
        ${locked('key, expires_at, tag', `${texts('$1')}, $2::bigint[], ${texts('$3')}`)}
        ${touch('w.expires_at')} FROM w
        WHERE w.expires_at / ${isInTime('$5')} IS NOT NULL AND r.key = w.key AND ${isTouched('w.tag')}`),
    },
    // It is rare, and no connection needs to keep it.
    carried: {
      text: `SELECT key FROM ${t}
        WHERE key = ANY (${texts('$1')}) AND tag = ANY (${texts('$2')}) AND expires_at > $3`,
    },
    list: statement(`SELECT key FROM ${t} WHERE key > $1 ORDER BY key LIMIT $2`),
    listUser: statement(`SELECT key FROM ${t} WHERE owner = $3 AND key > $1 ORDER BY key LIMIT $2`),
    count: { ...statement(`SELECT count(*) FROM ${t} AS r WHERE ${isSession('$1')}`), isLong: true },
    // It also shows that the table can be read.
    ping: statement(`SELECT ${clock}, EXISTS (SELECT FROM ${t})`),

    // The next two are never named, because plans that are kept for any LIMIT would read the whole table.
    // Of the rows that are due, those that expired go, and those whose deadline was moved on are put off.
    // A row that expires later in the same minute is not among them.
    prune: {
      text: `
        WITH due AS MATERIALIZED (
          SELECT key, expires_at, over FROM ${t} AS r,
            (SELECT least($1::bigint, ${toMilliseconds('statement_timestamp()')}) AS over) AS clock
          WHERE purge_at <= ${toMinute('over')} AND (expires_at < over OR purge_at < ${toMinute('expires_at')})
          ORDER BY purge_at LIMIT $2 FOR UPDATE OF r SKIP LOCKED
        ), gone AS (
          DELETE FROM ${t} AS r USING due WHERE r.key = due.key AND due.expires_at < over RETURNING 1
        ), postponed AS (
          UPDATE ${t} AS r SET purge_at = ${toMinute('due.expires_at')} FROM due
          WHERE r.key = due.key AND due.expires_at >= over RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM postponed)`,
    },
    clear: {
      text: `
        WITH step AS MATERIALIZED (SELECT key FROM ${t} WHERE key > $1 ORDER BY key LIMIT $2 FOR UPDATE),
        gone AS (DELETE FROM ${t} AS r USING step WHERE r.key = step.key)
        SELECT max(key), 1 / ${isInTime('$3')} FROM step`,
      isTimed: true,
    },
  }
}
