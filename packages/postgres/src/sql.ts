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
  /** Milliseconds. */
  query_timeout?: number
}

/** The same on one row, with a value for each parameter, and on many, with a column (see `rows.ts`). */
type Verb = Record<'one' | 'many', Statement>

interface Statements extends Record<'read' | 'put' | 'update' | 'touch', Verb> {
  columns: Statement
  create: Statement
  list: Statement
  listUser: Statement
  count: Statement
  prune: Statement
  clear: Statement
  ping: Statement
}

/**
 * Every statement of the driver. Those that wait for locks on many rows take them one after the other in the
 * order of the keys, whatever plan PostgreSQL makes, so that no two wait for each other.
 */
export function statements(schema: string, table: string, named: boolean): Statements {
  const t = qualified(schema, table)
  const row = 'key, tag, owner, created_at, expires_at, data'
  /** A row as one field, for each field of an answer costs the client as much as the session in it; see `toRow`. */
  const line = `concat_ws(E'\\n', key, tag, created_at, expires_at, coalesce(owner, ''), data)`
  const isSession = (now: string) => `r.data IS NOT NULL AND r.expires_at > ${now}`
  const toMinute = (time: string) => `${time} - ${time} % 60000`
  const noLater = (deadline: string) => `least(r.purge_at, ${toMinute(deadline)})`
  const texts = (...columns: string[]) => columns.map((c) => `string_to_array(${c}, E'\\n', '')`).join()

  /** By a hash of its text, for on one pool a name must mean the same in every store. */
  const statement = (text: string): Statement =>
    named ? { name: `session_stores_${hash('sha1', text, 'base64url')}`, text } : { text }

  /** Upserts, creates and tombstones; an INSERT takes its rows in the order in which they come. */
  const put = (rows: string) =>
    statement(`
      INSERT INTO ${t} AS r (${row}, purge_at) ${rows}
      ON CONFLICT (key) DO UPDATE SET
        created_at = CASE WHEN excluded.data IS NOT NULL AND ${isSession('$8::bigint')}
          THEN r.created_at ELSE excluded.created_at END,
        tag = excluded.tag, owner = excluded.owner, expires_at = excluded.expires_at, data = excluded.data,
        purge_at = least(r.purge_at, excluded.purge_at)
      WHERE excluded.data IS NULL OR r.expires_at <= $8::bigint
        OR CASE WHEN excluded.key = ANY ($7::text[])
          THEN r.data IS NULL OR r.tag = excluded.tag ELSE r.data IS NOT NULL END
      RETURNING r.key`)

  /** A plan of an UPDATE may take its rows in any order: those that are there are locked first, each before the next. */
  const locked = (columns: string, values: string) => `
    WITH w AS MATERIALIZED (
      SELECT i.* FROM unnest(${values}) AS i (${columns}),
        LATERAL (SELECT FROM ${t} AS l WHERE l.key = i.key FOR NO KEY UPDATE) AS l)`

  return {
    columns: {
      text: `SELECT attname, typname FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
        WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    },
    // Sent together, they are one transaction.
    create: { text: `SELECT pg_catalog.pg_advisory_xact_lock(${SETUP_LOCK});\n${tableSql(schema, table)}` },
    read: {
      one: statement(`SELECT ${line} FROM ${t} WHERE key = $1`),
      many: statement(`SELECT ${line} FROM ${t} WHERE key = ANY (${texts('$1')})`),
    },
    put: {
      one: put(`VALUES ($1, $2, $3, $4::bigint, $5::bigint, $6, ${toMinute('$5::bigint')})`),
      many: put(`
        SELECT ${row}, ${toMinute('expires_at')}
        FROM unnest(${texts('$1', '$2', '$3')}, $4::bigint[], $5::bigint[], ${texts('$6')}) AS i (${row})`),
    },
    update: {
      one: statement(`
        UPDATE ${t} AS r SET
          tag = $2, owner = $3, expires_at = $4::bigint, data = $5, purge_at = ${noLater('$4::bigint')}
        WHERE key = $1 AND ${isSession('$7')} AND tag IN ($6, $2)
        RETURNING key`),
      many: statement(`
        ${locked(
          'key, tag, owner, expires_at, data, expect',
          `${texts('$1', '$2', '$3')}, $4::bigint[], ${texts('$5', '$6')}`,
        )}
        UPDATE ${t} AS r SET tag = w.tag, owner = w.owner, expires_at = w.expires_at, data = w.data,
          purge_at = ${noLater('w.expires_at')}
        FROM w WHERE r.key = w.key AND ${isSession('$7')} AND r.tag IN (w.expect, w.tag)
        RETURNING r.key`),
    },
    touch: {
      one: statement(`
        UPDATE ${t} AS r SET expires_at = $2::bigint, purge_at = ${noLater('$2::bigint')}
        WHERE key = $1 AND ${isSession('$3')}`),
      many: statement(`
        ${locked('key, expires_at', `${texts('$1')}, $2::bigint[]`)}
        UPDATE ${t} AS r SET expires_at = w.expires_at, purge_at = ${noLater('w.expires_at')}
        FROM w WHERE r.key = w.key AND ${isSession('$3')}`),
    },
    list: statement(`SELECT key FROM ${t} WHERE key > $1 ORDER BY key LIMIT $2`),
    listUser: statement(`SELECT key FROM ${t} WHERE owner = $3 AND key > $1 ORDER BY key LIMIT $2`),
    // The one that reads the whole table.
    count: { ...statement(`SELECT count(*) FROM ${t} AS r WHERE ${isSession('$1')}`), query_timeout: 60_000 },
    ping: statement(`SELECT FROM ${t} LIMIT 1`),

    // The next two are never named: kept for any LIMIT, their plans would read the whole table.
    // Of the rows that are due, those that expired go; those whose deadline was moved on are looked at later.
    prune: {
      text: `
        WITH due AS MATERIALIZED (
          SELECT key, expires_at FROM ${t} WHERE purge_at < ${toMinute('$1::bigint')}
          ORDER BY purge_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ), gone AS (
          DELETE FROM ${t} AS r USING due WHERE r.key = due.key AND due.expires_at < $1 RETURNING 1
        ), postponed AS (
          UPDATE ${t} AS r SET purge_at = ${toMinute('due.expires_at')} FROM due
          WHERE r.key = due.key AND due.expires_at >= $1 RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM postponed)`,
    },
    clear: {
      text: `
        WITH step AS MATERIALIZED (SELECT key FROM ${t} WHERE key > $1 ORDER BY key LIMIT $2 FOR UPDATE),
        gone AS (DELETE FROM ${t} AS r USING step WHERE r.key = step.key)
        SELECT max(key) FROM step`,
    },
  }
}
