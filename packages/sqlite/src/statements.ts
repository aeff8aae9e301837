import type { Touch, Write } from '@session-stores/core'
import type { SqliteDatabase, SqliteStatement } from './index.ts'

type Name =
  | 'readOne'
  | 'read'
  | 'list'
  | 'listUser'
  | 'count'
  | 'prune'
  | 'postpone'
  | 'clear'
  /** The time of SQLite's clock, in epoch milliseconds. */
  | 'clock'

export interface Statements extends Record<Name, SqliteStatement> {
  /** Says whether it landed. */
  write(write: Write, now: number): boolean
  touch(touch: Touch, now: number): void
  /** Runs the work in one transaction that has the right to write from its start. */
  atomically<T>(work: () => T): T
}

/**
 * Makes the table where it is missing, and every statement of the driver.
 *
 * `purge_at` is when `prune` looks at a row next: never after `expires_at`. Only it is indexed, and a save or
 * a touch that moves the deadline on leaves it alone, for the index entry costs as much as the row.
 * `data` stands last, so that the rest of a large row is read without it; STRICT keeps text that looks like a
 * number. Not WITHOUT ROWID: keys are random, and new ones took three times as long there.
 */
export function prepareTable(database: SqliteDatabase, table: string): Statements {
  const t = quoted(table)
  database.exec(`
    CREATE TABLE IF NOT EXISTS ${t} (
      key TEXT NOT NULL PRIMARY KEY,
      tag TEXT NOT NULL,
      user TEXT,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      purge_at INTEGER NOT NULL,
      data TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ${quoted(`${table}_by_purge_at`)} ON ${t} (purge_at);
    CREATE INDEX IF NOT EXISTS ${quoted(`${table}_by_user`)} ON ${t} (user, key) WHERE user IS NOT NULL`)

  const columns = `${t}.key, data, tag, user, created_at AS createdAt, expires_at AS expiresAt`
  const due = `SELECT rowid, expires_at FROM ${t} WHERE purge_at < @before ORDER BY purge_at LIMIT @limit`
  // A lent database may be set to answer in BigInts.
  const prepare = (sql: string) => database.prepare(sql).safeIntegers(false)
  const [begin, commit, rollback] = [prepare('BEGIN IMMEDIATE'), prepare('COMMIT'), prepare('ROLLBACK')]

  // Values are bound by their places: by names they take a third of an update's time.

  // An update of a session by a session that moves no index entry.
  const rewrite = prepare(`
    UPDATE ${t} SET tag = ?, expires_at = max(?, expires_at * ?), data = ?
    WHERE key = ? AND tag = ? AND expires_at > ? AND data IS NOT NULL
      AND user IS ? AND purge_at <= max(?, expires_at * ?)`)
  // Any update.
  const update = prepare(`
    UPDATE ${t} SET
      tag = ?, user = ?, created_at = iif(? AND data IS NOT NULL, created_at, ?),
      expires_at = max(?, iif(data IS NOT NULL, expires_at, 0) * ?),
      purge_at = max(?, iif(data IS NOT NULL, expires_at, 0) * ?), data = ?
    WHERE key = ? AND tag = ? AND expires_at > ?`)
  const insert = `
    INSERT INTO ${t} (key, tag, user, created_at, expires_at, purge_at, data) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
      tag = excluded.tag, user = excluded.user, created_at = excluded.created_at,
      expires_at = excluded.expires_at, purge_at = excluded.purge_at, data = excluded.data`
  const create = prepare(`${insert} WHERE expires_at <= ?`)
  const destroy = prepare(`${insert} WHERE expires_at <= ? OR tag <> excluded.tag`)
  // A tombstone that would be over at once.
  const remove = prepare(`DELETE FROM ${t} WHERE key = ? AND (tag <> ? OR expires_at <= ?)`)
  const hasLanded = prepare(`SELECT 1 FROM ${t} WHERE key = ? AND tag = ? AND expires_at > ?`)
  // A deadline that moves no index entry; the next one moves any.
  const touch = prepare(`
    UPDATE ${t} SET expires_at = ?
    WHERE key = ? AND tag = ifnull(?, tag) AND expires_at > ? AND data IS NOT NULL AND purge_at <= ?`)
  const touchEarlier = prepare(`
    UPDATE ${t} SET expires_at = ?, purge_at = ?
    WHERE key = ? AND tag = ifnull(?, tag) AND expires_at > ? AND data IS NOT NULL`)

  function updates(write: Write, expect: string, now: number): boolean {
    const { key, tag, user, createdAt, expiresAt, data } = write
    // It names itself: either it has landed, or there is no such row.
    if (expect === tag) return false
    const isSession = data === null ? 0 : 1
    const extend = write.extend && isSession ? 1 : 0
    return (
      (data !== null &&
        rewrite.run(tag, expiresAt, extend, data, key, expect, now, user, expiresAt, extend).changes === 1) ||
      update.run(
        ...[tag, user, isSession, createdAt, expiresAt, extend, expiresAt, extend, data],
        ...[key, expect, now],
      ).changes === 1
    )
  }

  return {
    write(write, now) {
      const { key, tag, user, createdAt, expiresAt, data, expect } = write
      if (expect === undefined && data === null) {
        if (expiresAt <= now) remove.run(key, tag, now)
        else destroy.run(key, tag, user, createdAt, expiresAt, expiresAt, data, now)
        return true
      }
      if (expect === '') {
        if (create.run(key, tag, user, createdAt, expiresAt, expiresAt, data, now).changes === 1) return true
      } else if (expect !== undefined && updates(write, expect, now)) return true
      // It was sent twice if the row carries its tag.
      return hasLanded.get(key, tag, now) !== undefined
    },
    touch({ key, tag = null, expiresAt }, now) {
      if (touch.run(expiresAt, key, tag, now, expiresAt).changes === 0)
        touchEarlier.run(expiresAt, expiresAt, key, tag, now)
    },
    atomically(work) {
      begin.run()
      try {
        const result = work()
        commit.run()
        return result
      } catch (error) {
        // SQLite has rolled back already after some errors, a full disk for one.
        if (database.inTransaction) rollback.run()
        throw error
      }
    },
    readOne: prepare(`SELECT ${columns} FROM ${t} WHERE key = ?`),
    read: prepare(`SELECT ${columns} FROM json_each(?) AS wanted CROSS JOIN ${t} ON ${t}.key = wanted.value`),
    list: prepare(`SELECT key FROM ${t} WHERE key > ? ORDER BY key LIMIT ?`).pluck(),
    listUser: prepare(`SELECT key FROM ${t} WHERE user = ? AND key > ? ORDER BY key LIMIT ?`).pluck(),
    count: prepare(`
      SELECT coalesce(sum(live), 0) AS live, count(*) AS seen, max(id) AS last FROM (
        SELECT rowid AS id, data IS NOT NULL AND expires_at > @now AS live
        FROM ${t} WHERE rowid > @after ORDER BY rowid LIMIT @limit)`),
    // Of the rows that are due: those that expired go, those whose deadline was moved on are looked at later.
    prune: prepare(`
      DELETE FROM ${t} WHERE rowid IN (SELECT rowid FROM (${due}) WHERE expires_at < @before LIMIT @most)`),
    postpone: prepare(`
      UPDATE ${t} SET purge_at = expires_at
      WHERE rowid IN (SELECT rowid FROM (${due})) AND expires_at >= @before`),
    clear: prepare(`DELETE FROM ${t} WHERE rowid IN (SELECT rowid FROM ${t} LIMIT ?)`),
    // It reads the table, too: that SQLite answers means little where the file cannot be read.
    clock: prepare(
      `SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER), EXISTS (SELECT 1 FROM ${t})`,
    ).pluck(),
  }
}

/** As an identifier. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
