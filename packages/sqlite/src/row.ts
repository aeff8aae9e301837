/**
 * The statements that make the table of the sessions and its indexes where they are missing.
 *
 * `purge_at` is when `prune` looks at a row next, and is never after `expires_at`. Only `purge_at`
 * is indexed. See docs/decisions/0007-coarse-purge-times.md. `data` is the last column, so that
 * SQLite reads the others of a large row without it. STRICT keeps text that looks like a number.
 * The table has rowids because keys are random: without rowids, new rows took three times as long.
 */
export function schemaOf(table: string): string {
  const t = quote(table)
  return `
    CREATE TABLE IF NOT EXISTS ${t} (
      key TEXT NOT NULL PRIMARY KEY,
      tag TEXT NOT NULL,
      user TEXT,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      purge_at INTEGER NOT NULL,
      data TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ${quote(`${table}_by_purge_at`)} ON ${t} (purge_at);
    CREATE INDEX IF NOT EXISTS ${quote(`${table}_by_user`)} ON ${t} (user, key) WHERE user IS NOT NULL`
}

/** Returns the columns to select, under the names that a `Row` has in the program. */
export const columnsOf = (table: string): string =>
  `${quote(table)}.key, data, tag, user, created_at AS createdAt, expires_at AS expiresAt`

/**
 * Returns a statement that inserts a row, or replaces the row of the same key. It takes the values
 * of `key, tag, user, created_at, expires_at, purge_at, data`. A `WHERE` that is appended says
 * which rows may be replaced.
 */
export const insertInto = (table: string): string => `
    INSERT INTO ${quote(table)} (key, tag, user, created_at, expires_at, purge_at, data)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
      tag = excluded.tag, user = excluded.user, created_at = excluded.created_at,
      expires_at = excluded.expires_at, purge_at = excluded.purge_at, data = excluded.data`

/** Returns the name as a quoted identifier. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
