/**
 * A process that holds the write lock of a SQLite file, with rows that it has written and never
 * commits, or that copies the log into the file again and again. Its arguments are the path and which.
 */
import Database from 'better-sqlite3'

const [, , path, what] = process.argv
const database = new Database(path)
database.pragma('busy_timeout = 5000')
process.on('disconnect', () => process.exit())
if (what === 'writes') {
  // A small cache makes SQLite write pages to the log before the commit, which never comes.
  database.pragma('cache_size = 2')
  database.exec('BEGIN IMMEDIATE')
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all() as {
    name: string
  }[]
  for (const { name } of tables) if (!name.startsWith('sqlite_')) database.exec(`DELETE FROM "${name}"`)
  process.send!('held')
} else {
  process.send!('begun')
  for (const end = Date.now() + 5000; Date.now() < end; ) database.pragma('wal_checkpoint(RESTART)')
}
