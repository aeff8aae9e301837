import { join } from 'node:path'
import Database from 'better-sqlite3'

/**
 * Makes every session of a recipe's database unreadable, so that the store answers with an error.
 * Returns a function that makes them readable again.
 */
export function damageSessions(folder: string): () => void {
  const run = (change: string): void => {
    const database = new Database(join(folder, 'sessions.db'))
    database.exec(`UPDATE sessions SET data = ${change} WHERE data IS NOT NULL`)
    database.close()
  }
  run("'-' || data")
  return () => run('substr(data, 2)')
}
