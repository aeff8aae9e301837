import { hash } from 'node:crypto'
import type { Schema } from '@session-stores/core'
import { quoteTable } from './row.ts'
import { type Step, toTableSql } from './schema.ts'

/** The advisory lock under which a table is made, because `IF NOT EXISTS` fails in a race. */
const SETUP_LOCK = 7_305_437_202

/** A statement, as the driver sends it. */
export interface Statement {
  name?: string
  text: string
  /**
   * The last parameter is the latest time at which the statement may take effect, in epoch seconds
   * of the server's clock.
   */
  isTimed?: true
  /**
   * Writes sessions under a condition. Such a statement is not sent again after a connection broke,
   * because its refusal would not tell whether the first try landed.
   */
  isWrite?: true
  /** Reads the whole table, and may take as long as core waits for such a call. */
  isLong?: true
}

/** The same statement on one row and on many rows: see `oneOrMany`. */
type Verb = Record<'one' | 'many', Statement>

/** Every statement of the driver. */
export interface Statements extends Record<'read' | 'put' | 'update' | 'touch', Verb> {
  /** Lists the columns of the table, with their types and comments. */
  columns: Statement
  /** Makes the table, or brings it to the newest schema. */
  create: Statement
  /** The usual saves of many sessions: all are live, and a later deadline that is stored stays. */
  save: Statement
  /** Reads the server's clock. */
  clock: Statement
  /** Lists which of the rows are live and carry these tags. */
  carried: Statement
  list: Statement
  listUser: Statement
  count: Statement
  prune: Statement
  clear: Statement
  /** Reads the server's clock, and fails where the table cannot be read. */
  ping: Statement
}

/** For each value of an update, the SQL that stands for the value. */
type Replacement = Record<
  'key' | 'tag' | 'owner' | 'created_at' | 'expires_at' | 'data' | 'expect' | 'extend',
  string
>

/**
 * Returns the statements for a table. With `named`, the server keeps them by name. Statements on
 * many rows lock the rows one after the other in the order of their keys, whatever plan PostgreSQL
 * makes, so that no two statements wait for each other.
 *
 * This is one function, because all statements share the fragments at its beginning.
 */
export function createStatements(
  schema: string,
  table: string,
  named: boolean,
  changes: Schema<Step>,
): Statements {
  const t = quoteTable(schema, table)
  const row = 'key, tag, owner, created_at, expires_at, data'
  // A row is one field, because each field of an answer costs pg as much as the whole session does.
  const line = `concat_ws(E'\\n', key, tag, created_at, expires_at, coalesce(owner, ''), data)`
  const isSession = (now: string) => `r.data IS NOT NULL AND r.expires_at > ${now}`
  const toMinute = (time: string) => `${time} - ${time} % 60000`
  const noLaterPurge = (deadline: string) => `least(r.purge_at, ${toMinute(deadline)})`
  const toArrays = (...columns: string[]) => columns.map((c) => `string_to_array(${c}, E'\\n', '')`).join()
  const toMilliseconds = (time: string) => `floor(date_part('epoch', ${time}) * 1000)::bigint`
  const clock = toMilliseconds('clock_timestamp()')

  // 1, or 0 after the latest time. Statements divide by this number after each wait for a lock,
  // because the error undoes all that they did.
  const isInTime = (latest: string) => `(clock_timestamp() < to_timestamp(${latest}::float8))::int`

  // The name is a hash of the text, because a name must mean the same to all stores on one pool.
  const statement = (text: string): Statement =>
    named ? { name: `session_stores_${hash('sha1', text, 'base64url')}`, text } : { text }
  const timed = (text: string): Statement => ({ ...statement(text), isTimed: true })
  const write = (text: string): Statement => ({ ...timed(text), isWrite: true })

  // For creates, and for the tombstones that always land, whose keys are in $7. An INSERT locks its
  // rows in the order in which they come.
  const put = (rows: string) => `
      INSERT INTO ${t} AS r (${row}, purge_at) ${rows}
      ON CONFLICT (key) DO UPDATE SET
        tag = excluded.tag, owner = excluded.owner, created_at = excluded.created_at,
        expires_at = excluded.expires_at, data = excluded.data, purge_at = least(r.purge_at, excluded.purge_at)
      WHERE r.expires_at <= $8::bigint OR (excluded.key = ANY ($7::text[]) AND r.tag <> excluded.tag)`

  // The plan of an UPDATE may take its rows in any order, so this locks the rows in order first.
  const locked = (columns: string, values: string) => `
    WITH w AS MATERIALIZED (
      SELECT i.* FROM unnest(${values}) AS i (${columns})
        LEFT JOIN LATERAL (SELECT FROM ${t} AS l WHERE l.key = i.key FOR NO KEY UPDATE) AS l ON true)`

  // Where a later deadline stays, `purge_at` may be too early, and `prune` looks once more.
  const update = (w: Replacement) => `
        UPDATE ${t} AS r SET tag = ${w.tag}, owner = ${w.owner}, data = ${w.data}, purge_at = ${noLaterPurge(w.expires_at)},
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
    `UPDATE ${t} AS r SET expires_at = ${deadline}, purge_at = ${noLaterPurge(deadline)}`
  const isTouched = (tag: string) => `${isSession('$4::bigint')} AND r.tag = coalesce(${tag}, r.tag)`

  return {
    columns: {
      text: `SELECT attname, typname, pg_catalog.col_description(attrelid, attnum)
        FROM pg_catalog.pg_attribute JOIN pg_catalog.pg_type AS type ON type.oid = atttypid
        WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    },
    // PostgreSQL runs statements that are sent together as one transaction.
    create: {
      text: `SELECT pg_catalog.pg_advisory_xact_lock(${SETUP_LOCK});\n${toTableSql(schema, table, changes)}`,
    },
    clock: { text: `SELECT ${clock}` },
    read: {
      one: statement(`SELECT ${line} FROM ${t} WHERE key = $1`),
      many: statement(`SELECT ${line} FROM ${t} WHERE key = ANY (${toArrays('$1')})`),
    },
    put: {
      one: write(`
        ${put(`VALUES ($1, $2, $3, $4::bigint, $5::bigint, $6, ${toMinute('$5::bigint')})`)}
        RETURNING 1 / ${isInTime('$9')}`),
      many: write(`
        WITH changed AS (${put(`
          SELECT ${row}, ${toMinute('expires_at')}
          FROM unnest(${toArrays('$1', '$2', '$3')}, $4::bigint[], $5::bigint[], ${toArrays('$6')}) AS i (${row})`)}
          RETURNING r.key)
        SELECT string_agg(key, E'\\n'), 1 / ${isInTime('$9')} FROM changed`),
    },
    update: {
      one: write(`
        ${update(parameters)} WHERE ${isExpected(parameters)}
        RETURNING 1 / ${isInTime('$10')}`),
      many: write(`
        ${locked(
          'key, tag, owner, created_at, expires_at, data, expect, extend',
          `${toArrays('$1', '$2', '$3')}, $4::bigint[], $5::bigint[], ${toArrays('$6', '$7')}, $8::boolean[]`,
        )},
        changed AS (${update(columns)} FROM w WHERE ${isExpected(columns)} RETURNING r.key)
        SELECT string_agg(key, E'\\n'), 1 / ${isInTime('$10')} FROM changed`),
    },
    // `update` parses two more columns and computes two more values for each row. That costs the
    // server a tenth of its work, so `update` is for the writes that this statement refuses.
    save: write(`
        ${locked(
          'key, tag, owner, expires_at, data, expect',
          `${toArrays('$1', '$2', '$3')}, $4::bigint[], ${toArrays('$5', '$6')}`,
        )},
        changed AS (
          UPDATE ${t} AS r SET tag = w.tag, owner = w.owner, data = w.data,
            expires_at = greatest(w.expires_at, r.expires_at), purge_at = ${noLaterPurge('w.expires_at')}
          FROM w WHERE r.key = w.key AND r.tag = w.expect AND ${isSession('$7::bigint')}
          RETURNING r.key)
        SELECT string_agg(key, E'\\n'), 1 / ${isInTime('$8')} FROM changed`),
    // A touch answers with no row, because each row costs the client and the server some work.
    touch: {
      one: timed(`
        WITH changed AS (
          ${touch('$2::bigint')} WHERE key = $1 AND ${isTouched('$3::text')}
          RETURNING 1 / ${isInTime('$5')})
        SELECT WHERE false`),
      many: timed(`
        ${locked('key, expires_at, tag', `${toArrays('$1')}, $2::bigint[], ${toArrays('$3')}`)}
        ${touch('w.expires_at')} FROM w
        WHERE w.expires_at / ${isInTime('$5')} IS NOT NULL AND r.key = w.key AND ${isTouched('w.tag')}`),
    },
    // This statement has no name, because it is too rare to be kept by each connection.
    carried: {
      text: `SELECT key FROM ${t}
        WHERE key = ANY (${toArrays('$1')}) AND tag = ANY (${toArrays('$2')}) AND expires_at > $3`,
    },
    list: statement(`SELECT key FROM ${t} WHERE key > $1 ORDER BY key LIMIT $2`),
    listUser: statement(`SELECT key FROM ${t} WHERE owner = $3 AND key > $1 ORDER BY key LIMIT $2`),
    count: { ...statement(`SELECT count(*) FROM ${t} AS r WHERE ${isSession('$1')}`), isLong: true },
    ping: statement(`SELECT ${clock}, EXISTS (SELECT FROM ${t})`),

    // `prune` and `clear` have no names, because a plan for every LIMIT would read the whole table.

    // Removes due rows that expired, and postpones due rows whose deadline was moved. A row that
    // expires later in the same minute is not due.
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
