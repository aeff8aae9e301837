import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/**
 * Merges the log of a SQLite database into the database file, if there is one. Otherwise all later
 * readers would have to search the log first.
 */
export function settleFile(folder: string): void {
  const file = join(folder, 'sessions.db')
  if (!existsSync(file)) return
  const database = new Database(file)
  try {
    database.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    database.close()
  }
}
