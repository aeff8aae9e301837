import { resolve } from 'node:path'
import Database from 'better-sqlite3'

/**
 * The part of a better-sqlite3 `Database` that the driver uses. It is declared here, so that no
 * version of the types of better-sqlite3 is forced on you.
 */
export interface SqliteDatabase {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
}

/** The part of a better-sqlite3 `Statement` that the driver uses. */
export interface SqliteStatement {
  run(...values: unknown[]): { changes: number }
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
  pluck(): SqliteStatement
  safeIntegers(on: boolean): SqliteStatement
}

/** Whether the value has the methods of a better-sqlite3 `Database`. One of node:sqlite has not. */
export function isDatabase(value: unknown): boolean {
  const { prepare, exec, inTransaction } = (value ?? {}) as Record<string, unknown>
  return typeof prepare === 'function' && typeof exec === 'function' && typeof inTransaction === 'boolean'
}

/** Opens the driver's own connection. The file must not be missing, except `:memory:`. */
export function openDatabase(file: string): Database.Database {
  // While SQLite itself waits for a lock, nothing else runs in this process.
  const database = new Database(file, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -128000')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Returns the absolute path of the database's file, or `''` for a database in memory. */
export function fileOf(database: SqliteDatabase): string {
  const name = database.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'").pluck().get()
  return (name ?? '') as string
}

/**
 * Whether the value can be the option `path`. Returns what is wrong where it can say more: from a
 * URI, better-sqlite3 would make a file with a name such as `file:sessions.db`.
 */
export function isPath(value: unknown): boolean | string {
  if (typeof value !== 'string' || value.trim() === '') return false
  if (/^\s*(file|sqlite3?):/i.test(value))
    return "takes a path and no URI: write 'sessions.db' instead of 'file:sessions.db', or './file:…' for such a name"
  return true
}

/** Whether the option `path` names a file. */
export const isOnDisk = (path: string): boolean => path.trim() !== ':memory:'

/** Returns the absolute path, because the working directory of the process may change later. */
export const toAbsolute = (path: string): string =>
  // better-sqlite3 trims the path, too.
  isOnDisk(path) ? resolve(path.trim()) : path
