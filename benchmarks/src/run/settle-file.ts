import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/**
 * Copies the log of a SQLite database in this folder into it, where there is one, as a process that ends in peace
 * does: else all that read it afterwards would look through the log first.
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
