import { hash } from 'node:crypto'

/** The columns of the table, and their types as PostgreSQL names them. */
export const COLUMNS: Readonly<Record<string, string>> = {
  key: 'text',
  tag: 'text',
  owner: 'text',
  created_at: 'bigint',
  expires_at: 'bigint',
  purge_at: 'bigint',
  data: 'text',
}

/** Taken while tables are made: `IF NOT EXISTS` alone fails where two processes race. Any number, the same in all. */
const SETUP_LOCK = 7_305_437_202

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const qualified = (schema: string, table: string): string => `${quoted(schema)}.${quoted(table)}`

/**
 * `purge_at` is when `prune` looks at a row, to the minute: only it is indexed, and a save or a touch that moves
 * the deadline on leaves it alone. So, and with room in each page, an update touches no index (HOT).
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
}

type Name =
  | 'columns'
  | 'create'
  | 'readOne'
  | 'read'
  | 'putOne'
  | 'put'
  | 'updateOne'
  | 'update'
  | 'touchOne'
  | 'touch'
  | 'list'
  | 'listUser'
  | 'count'
  | 'prune'
  | 'clear'
  | 'ping'

/**
 * Every statement of the driver. Those that wait for locks on many rows take them one after the other in the
 * order of the keys, whatever plan PostgreSQL makes, so that no two wait for each other.
 */
export function statements(schema: string, table: string, named: boolean): Record<Name, Statement> {
  const t = qualified(schema, table)
  const row = 'key, tag, owner, created_at, expires_at, data'
  const isSession = (now: string) => `r.data IS NOT NULL AND r.expires_at > ${now}`
  const coarse = (time: string) => `${time} - ${time} % 60000`
  const later = (deadline: string) => `least(r.purge_at, ${coarse(deadline)})`
  /** A column of texts, each on a line of its own, an empty one for NULL. */
  const texts = (...parameters: string[]) => parameters.map((p) => `string_to_array(${p}, E'\\n', '')`).join()

  /** An upsert, create or tombstone. */
  const put = (rows: string, isCreate: string) => `
    INSERT INTO ${t} AS r (${row}, purge_at) ${rows}
    ON CONFLICT (key) DO UPDATE SET
      created_at = CASE WHEN excluded.data IS NOT NULL AND ${isSession('$8::bigint')}
        THEN r.created_at ELSE excluded.created_at END,
      tag = excluded.tag, owner = excluded.owner, expires_at = excluded.expires_at, data = excluded.data,
      purge_at = least(r.purge_at, excluded.purge_at)
    WHERE excluded.data IS NULL OR r.expires_at <= $8::bigint
      OR CASE WHEN ${isCreate} THEN r.data IS NULL OR r.tag = excluded.tag ELSE r.data IS NOT NULL END
    RETURNING r.key`

  /** The rows of the input whose key is there, each locked before the next is looked at. */
  const locked = (columns: string, values: string) => `
    WITH w AS MATERIALIZED (
      SELECT i.* FROM unnest(${values}) AS i (${columns}),
        LATERAL (SELECT FROM ${t} AS l WHERE l.key = i.key FOR NO KEY UPDATE) AS l)`

  /** By a hash of its text, for on one pool a name must mean the same in every store. */
  const statement = (text: string): Statement =>
    named ? { name: `session_stores_${hash('sha1', text, 'base64url')}`, text } : { text }

  return {
    columns: {
      text: `SELECT attname, pg_catalog.format_type(atttypid, NULL) FROM pg_catalog.pg_attribute
        WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    },
    // Sent together, they are one transaction.
    create: { text: `SELECT pg_catalog.pg_advisory_xact_lock(${SETUP_LOCK});\n${tableSql(schema, table)}` },

    readOne: statement(`SELECT ${row} FROM ${t} WHERE key = $1`),
    read: statement(`SELECT ${row} FROM ${t} WHERE key = ANY (${texts('$1')})`),

    putOne: statement(
      put(`VALUES ($1, $2, $3, $4::bigint, $5::bigint, $6, ${coarse('$5::bigint')})`, '$7::boolean'),
    ),
    put: statement(
      put(
        `SELECT ${row}, ${coarse('expires_at')}
         FROM unnest(${texts('$1', '$2', '$3')}, $4::bigint[], $5::bigint[], ${texts('$6')}) AS i (${row})`,
        'excluded.key = ANY ($7::text[])',
      ),
    ),
    updateOne: statement(`
      UPDATE ${t} AS r SET tag = $2, owner = $3, expires_at = $4::bigint, purge_at = ${later('$4::bigint')}, data = $5
      WHERE key = $1 AND ${isSession('$7')} AND tag IN ($6, $2)
      RETURNING key`),
    update: statement(`
      ${locked('key, tag, owner, expires_at, data, expect', `${texts('$1', '$2', '$3')}, $4::bigint[], ${texts('$5', '$6')}`)}
      UPDATE ${t} AS r SET tag = w.tag, owner = w.owner, expires_at = w.expires_at, purge_at = ${later('w.expires_at')}, data = w.data
      FROM w WHERE r.key = w.key AND ${isSession('$7')} AND r.tag IN (w.expect, w.tag)
      RETURNING r.key`),
    touchOne: statement(`
      UPDATE ${t} AS r SET expires_at = $2::bigint, purge_at = ${later('$2::bigint')}
      WHERE key = $1 AND ${isSession('$3')}`),
    touch: statement(`
      ${locked('key, expires_at', `${texts('$1')}, $2::bigint[]`)}
      UPDATE ${t} AS r SET expires_at = w.expires_at, purge_at = ${later('w.expires_at')}
      FROM w WHERE r.key = w.key AND ${isSession('$3')}`),

    list: statement(`SELECT key FROM ${t} WHERE key > $1 ORDER BY key LIMIT $2`),
    listUser: statement(`SELECT key FROM ${t} WHERE owner = $3 AND key > $1 ORDER BY key LIMIT $2`),
    count: statement(`SELECT count(*) FROM ${t} AS r WHERE ${isSession('$1')}`),
    ping: statement(`SELECT FROM ${t} LIMIT 1`),

    // The next two are planned anew each time: a plan for any LIMIT would read the whole table.
    // Of the rows that are due: those that expired go, those whose deadline was moved on are looked at later.
    prune: {
      text: `
        WITH due AS MATERIALIZED (
          SELECT key, expires_at FROM ${t} WHERE purge_at < ${coarse('$1::bigint')}
          ORDER BY purge_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ), gone AS (
          DELETE FROM ${t} AS r USING due WHERE r.key = due.key AND due.expires_at < $1 RETURNING 1
        ), postponed AS (
          UPDATE ${t} AS r SET purge_at = ${coarse('due.expires_at')} FROM due
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
