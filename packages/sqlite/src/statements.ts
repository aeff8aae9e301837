import type { Schema, Touch, Write } from '@session-stores/core'
import type { SqliteDatabase, SqliteStatement } from './client.ts'
import { columnsOf, insertInto, quote } from './row.ts'
import { makeTable, type Step } from './schema.ts'

type Name =
  | 'readOne'
  | 'read'
  | 'list'
  | 'listUser'
  | 'count'
  | 'prune'
  | 'postpone'
  | 'clear'
  /** Returns the time of SQLite's clock, in epoch milliseconds. */
  | 'clock'

/** Every statement of the driver on one table. */
export interface Statements extends Record<Name, SqliteStatement> {
  /** Returns whether the write landed. */
  write(write: Write, now: number): boolean
  touch(touch: Touch, now: number): void
  /** Runs the work in one transaction that has the right to write from its start. */
  atomically<T>(work: () => T): T
}

/** What `count` returns for one step over the table. */
export interface CountStep {
  /** How many sessions are live. */
  live: number
  /** How many rows the step has looked at. */
  seen: number
  /** The rowid with which the next step begins. */
  last: number
}

type Prepare = (sql: string) => SqliteStatement

/** Makes the table, or brings it to this schema, and prepares every statement of the driver. */
export function prepareTable(database: SqliteDatabase, table: string, changes: Schema<Step>): Statements {
  makeTable(database, table, changes)
  // A lent database may be set to answer in BigInts.
  const prepare = (sql: string) => database.prepare(sql).safeIntegers(false)
  return {
    write: prepareWrite(prepare, table),
    touch: prepareTouch(prepare, table),
    atomically: prepareTransaction(prepare, database),
    ...prepareReads(prepare, table),
    ...prepareRemovals(prepare, table),
  }
}

// Values are bound by their places, because binding them by names takes a third of an update's
// time.

function prepareWrite(prepare: Prepare, table: string): Statements['write'] {
  const t = quote(table)
  const insert = insertInto(table)
  const create = prepare(`${insert} WHERE expires_at <= ?`)
  const destroy = prepare(`${insert} WHERE expires_at <= ? OR tag <> excluded.tag`)
  // For a tombstone that would be over at once.
  const remove = prepare(`DELETE FROM ${t} WHERE key = ? AND (tag <> ? OR expires_at <= ?)`)
  const hasLanded = prepare(`SELECT 1 FROM ${t} WHERE key = ? AND tag = ? AND expires_at > ?`)
  const update = prepareUpdate(prepare, table)
  return (write, now) => {
    const { key, tag, user, createdAt, expiresAt, data, expect } = write
    if (expect === undefined && data === null) {
      if (expiresAt <= now) remove.run(key, tag, now)
      else destroy.run(key, tag, user, createdAt, expiresAt, expiresAt, data, now)
      return true
    }
    if (expect === '') {
      if (create.run(key, tag, user, createdAt, expiresAt, expiresAt, data, now).changes === 1) return true
    } else if (expect !== undefined && update(write, expect, now)) return true
    // A live row that carries the tag of the write shows that the write was sent twice.
    return hasLanded.get(key, tag, now) !== undefined
  }
}

function prepareUpdate(
  prepare: Prepare,
  table: string,
): (write: Write, expect: string, now: number) => boolean {
  const t = quote(table)
  // This statement updates a session by a session where no index entry moves, as most saves do.
  const rewrite = prepare(`
    UPDATE ${t} SET tag = ?, expires_at = max(?, expires_at * ?), data = ?
    WHERE key = ? AND tag = ? AND expires_at > ? AND data IS NOT NULL
      AND user IS ? AND purge_at <= max(?, expires_at * ?)`)
  const updateAny = prepare(`
    UPDATE ${t} SET
      tag = ?, user = ?, created_at = iif(? AND data IS NOT NULL, created_at, ?),
      expires_at = max(?, iif(data IS NOT NULL, expires_at, 0) * ?),
      purge_at = max(?, iif(data IS NOT NULL, expires_at, 0) * ?), data = ?
    WHERE key = ? AND tag = ? AND expires_at > ?`)
  return (write, expect, now) => {
    const { key, tag, user, createdAt, expiresAt, data } = write
    // A write that expects its own tag has landed before, or there is no such row.
    if (expect === tag) return false
    const isSession = data === null ? 0 : 1
    const extend = write.extend && isSession ? 1 : 0
    return (
      (data !== null &&
        rewrite.run(tag, expiresAt, extend, data, key, expect, now, user, expiresAt, extend).changes === 1) ||
      updateAny.run(
        ...[tag, user, isSession, createdAt, expiresAt, extend, expiresAt, extend, data],
        ...[key, expect, now],
      ).changes === 1
    )
  }
}

function prepareTouch(prepare: Prepare, table: string): Statements['touch'] {
  const t = quote(table)
  // This statement moves no index entry. The next one moves any deadline.
  const moveLater = prepare(`
    UPDATE ${t} SET expires_at = ?
    WHERE key = ? AND tag = ifnull(?, tag) AND expires_at > ? AND data IS NOT NULL AND purge_at <= ?`)
  const moveAny = prepare(`
    UPDATE ${t} SET expires_at = ?, purge_at = ?
    WHERE key = ? AND tag = ifnull(?, tag) AND expires_at > ? AND data IS NOT NULL`)
  return ({ key, tag = null, expiresAt }, now) => {
    if (moveLater.run(expiresAt, key, tag, now, expiresAt).changes === 0)
      moveAny.run(expiresAt, expiresAt, key, tag, now)
  }
}

function prepareTransaction(prepare: Prepare, database: SqliteDatabase): Statements['atomically'] {
  const [begin, commit, rollback] = [prepare('BEGIN IMMEDIATE'), prepare('COMMIT'), prepare('ROLLBACK')]
  return (work) => {
    begin.run()
    try {
      const result = work()
      commit.run()
      return result
    } catch (error) {
      // After some errors, such as a full disk, SQLite has rolled back already.
      if (database.inTransaction) rollback.run()
      throw error
    }
  }
}

function prepareReads(
  prepare: Prepare,
  table: string,
): Pick<Statements, 'readOne' | 'read' | 'list' | 'listUser' | 'count' | 'clock'> {
  const t = quote(table)
  const columns = columnsOf(table)
  return {
    readOne: prepare(`SELECT ${columns} FROM ${t} WHERE key = ?`),
    read: prepare(`SELECT ${columns} FROM json_each(?) AS wanted CROSS JOIN ${t} ON ${t}.key = wanted.value`),
    list: prepare(`SELECT key FROM ${t} WHERE key > ? ORDER BY key LIMIT ?`).pluck(),
    listUser: prepare(`SELECT key FROM ${t} WHERE user = ? AND key > ? ORDER BY key LIMIT ?`).pluck(),
    count: prepare(`
      SELECT coalesce(sum(live), 0) AS live, count(*) AS seen, max(id) AS last FROM (
        SELECT rowid AS id, data IS NOT NULL AND expires_at > @now AS live
        FROM ${t} WHERE rowid > @after ORDER BY rowid LIMIT @limit)`),
    // The clock alone would answer even where the file cannot be read, so the table is read, too.
    clock: prepare(
      `SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER), EXISTS (SELECT 1 FROM ${t})`,
    ).pluck(),
  }
}

function prepareRemovals(prepare: Prepare, table: string): Pick<Statements, 'prune' | 'postpone' | 'clear'> {
  const t = quote(table)
  const due = `SELECT rowid, expires_at FROM ${t} WHERE purge_at < @before ORDER BY purge_at LIMIT @limit`
  return {
    // Of the rows that are due, `prune` removes the expired ones, and `postpone` sees to the
    // others.
    prune: prepare(`
      DELETE FROM ${t} WHERE rowid IN (SELECT rowid FROM (${due}) WHERE expires_at < @before LIMIT @most)`),
    postpone: prepare(`
      UPDATE ${t} SET purge_at = expires_at
      WHERE rowid IN (SELECT rowid FROM (${due})) AND expires_at >= @before`),
    clear: prepare(`DELETE FROM ${t} WHERE rowid IN (SELECT rowid FROM ${t} LIMIT ?)`),
  }
}
