import type { SqliteDatabase, SqliteStatement } from './index.ts'

type Name =
  | 'readOne'
  | 'read'
  | 'rewrite'
  | 'update'
  | 'put'
  | 'remove'
  | 'touch'
  | 'touchEarlier'
  | 'list'
  | 'listUser'
  | 'count'
  | 'prune'
  | 'postpone'
  | 'clear'
  | 'ping'

export interface Statements extends Record<Name, SqliteStatement> {
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
  const isSession = (now: string) => `data IS NOT NULL AND expires_at > ${now}`
  const due = `SELECT rowid, expires_at FROM ${t} WHERE purge_at < @before ORDER BY purge_at LIMIT @limit`
  // A lent database may be set to answer in BigInts.
  const prepare = (sql: string) => database.prepare(sql).safeIntegers(false)
  const [begin, commit, rollback] = [prepare('BEGIN IMMEDIATE'), prepare('COMMIT'), prepare('ROLLBACK')]
  return {
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
    // An update, or an upsert over a session, that moves no index entry.
    rewrite: prepare(`
      UPDATE ${t} SET tag = @tag, expires_at = @expiresAt, data = @data
      WHERE key = @key AND ${isSession('@now')} AND (@expect IS NULL OR tag IN (@expect, @tag))
        AND user IS @user AND purge_at <= @expiresAt`),
    // Any update.
    update: prepare(`
      UPDATE ${t} SET tag = @tag, user = @user, expires_at = @expiresAt, purge_at = @expiresAt, data = @data
      WHERE key = @key AND ${isSession('@now')} AND tag IN (@expect, @tag)`),
    // Any upsert, create or tombstone.
    put: prepare(`
      INSERT INTO ${t} (key, tag, user, created_at, expires_at, purge_at, data)
      VALUES (@key, @tag, @user, @createdAt, @expiresAt, @expiresAt, @data)
      ON CONFLICT (key) DO UPDATE SET
        created_at = iif(excluded.data IS NOT NULL AND ${isSession('@now')}, created_at, excluded.created_at),
        tag = excluded.tag, user = excluded.user, expires_at = excluded.expires_at,
        purge_at = excluded.purge_at, data = excluded.data
      WHERE excluded.data IS NULL OR expires_at <= @now
        OR iif(@expect IS NULL, data IS NOT NULL, data IS NULL OR tag = excluded.tag)`),
    remove: prepare(`DELETE FROM ${t} WHERE key = ?`),
    // A deadline that moves no index entry; the next one moves any.
    touch: prepare(`
      UPDATE ${t} SET expires_at = @expiresAt
      WHERE key = @key AND ${isSession('@now')} AND purge_at <= @expiresAt`),
    touchEarlier: prepare(`
      UPDATE ${t} SET expires_at = @expiresAt, purge_at = @expiresAt
      WHERE key = @key AND ${isSession('@now')}`),
    list: prepare(`SELECT key FROM ${t} WHERE key > ? ORDER BY key LIMIT ?`).pluck(),
    listUser: prepare(`SELECT key FROM ${t} WHERE user = ? AND key > ? ORDER BY key LIMIT ?`).pluck(),
    count: prepare(`
      SELECT coalesce(sum(live), 0) AS live, count(*) AS seen, max(id) AS last FROM (
        SELECT rowid AS id, ${isSession('@now')} AS live
        FROM ${t} WHERE rowid > @after ORDER BY rowid LIMIT @limit)`),
    // Of the rows that are due: those that expired go, those whose deadline was moved on are looked at later.
    prune: prepare(`
      DELETE FROM ${t} WHERE rowid IN (SELECT rowid FROM (${due}) WHERE expires_at < @before LIMIT @most)`),
    postpone: prepare(`
      UPDATE ${t} SET purge_at = expires_at
      WHERE rowid IN (SELECT rowid FROM (${due})) AND expires_at >= @before`),
    clear: prepare(`DELETE FROM ${t} WHERE rowid IN (SELECT rowid FROM ${t} LIMIT ?)`),
    ping: prepare(`SELECT 1 FROM ${t} LIMIT 1`),
  }
}

/** As an identifier. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
