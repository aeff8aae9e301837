import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Size } from '../results/results.ts'

/** Returns the bytes of the tables and of the indexes of a SQLite database. */
export function sizeOfFiles(folder: string): Size {
  const file = join(folder, 'sessions.db')
  if (!existsSync(file)) return { data: 0, indexes: 0, compressed: null }
  const database = new Database(file, { readonly: true })
  try {
    const sum = database
      .prepare(
        `SELECT coalesce(sum(pgsize), 0) FROM dbstat
         WHERE (name IN (SELECT name FROM sqlite_schema WHERE type = 'index')) = ?`,
      )
      .pluck()
    return { data: sum.get(0) as number, indexes: sum.get(1) as number, compressed: null }
  } finally {
    database.close()
  }
}

/** Returns what each of the sessions takes up that were stored between `before` and `after`. */
export function sizeOfEach(before: Size, after: Size, sessions: number): Size {
  const each = (from: number | null, to: number | null): number | null =>
    from === null || to === null ? null : (to - from) / sessions
  return {
    data: (after.data - before.data) / sessions,
    indexes: each(before.indexes, after.indexes),
    compressed: each(before.compressed, after.compressed),
  }
}
