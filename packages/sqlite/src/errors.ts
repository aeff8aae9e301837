import { type ErrorReason, isError, SessionStoreError } from '@session-stores/core'

/** Thrown where no lock is in the way, but the owner of a lent database has an open transaction. */
export const OWNER_IN_TRANSACTION: unique symbol = Symbol('the owner is in a transaction')

/** Whether the work did nothing because of a lock, so that it may succeed a moment later. */
export function isLocked(error: unknown): boolean {
  if (error === OWNER_IN_TRANSACTION) return true
  const { code, message } = error as { code?: string; message?: string }
  // A lent database throws this error while its owner walks over the rows of a statement.
  if (code === undefined) return message === 'This database connection is busy executing a query'
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)
}

/** Whether a statement failed before it did anything, because there is no such table. */
export function isTableMissing(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return code === 'SQLITE_ERROR' && /^no such table/.test(message ?? '')
}

const reasons: readonly ErrorReason[] = [
  [/^SQLITE_READONLY/, 'READ_ONLY', 'the SQLite database is read-only'],
  [/^SQLITE_(CANTOPEN|IOERR)/, 'UNAVAILABLE', 'the SQLite file cannot be opened, read or written'],
  [/^SQLITE_(AUTH|PERM)/, 'ACCESS_DENIED', 'the SQLite database denies access'],
  [/^SQLITE_(FULL|NOMEM)/, 'STORAGE_FULL', 'the SQLite database is out of disk or memory'],
  [
    /^SQLITE_(NOTADB|CORRUPT|FORMAT)/,
    'BAD_STORAGE',
    'the file is not a SQLite database, or it is a damaged one',
  ],
  // Every statement is right for the driver's own table, so this table must be another one.
  [
    /^SQLITE_(ERROR|CONSTRAINT|MISMATCH)/,
    'BAD_STORAGE',
    "the table is not this store's; name another 'table'",
  ],
  [/^SQLITE_TOOBIG|^RangeError/, 'PAYLOAD_TOO_LARGE', 'the session is larger than SQLite takes'],
  [/directory does not exist/, 'UNAVAILABLE', 'the folder of the SQLite file does not exist'],
  [/connection is not open/, 'UNAVAILABLE', 'the SQLite database that was lent is closed'],
]

/** Turns an error of SQLite into a `SessionStoreError` where the reason is known. */
export function toStoreError(error: unknown): unknown {
  if (!isError(error) || error instanceof SessionStoreError) return error
  if (isTableMissing(error))
    return new SessionStoreError(
      'BAD_STORAGE',
      'the SQLite database lacks a table, and it was missing again after the store had made its own',
      error,
    )
  // better-sqlite3 throws a few errors of its own, which have no code.
  const { code = `${error.name}: ${error.message}` } = error as { code?: string }
  const reason = reasons.find(([pattern]) => pattern.test(code))
  return reason ? new SessionStoreError(reason[1], reason[2], error) : error
}

/** Turns a failure of `CREATE TABLE` into an error which says that the table is missing. */
export function toMissingTableError(error: unknown): unknown {
  const { code = '' } = error as { code?: string }
  if (!/^SQLITE_(READONLY|AUTH|PERM)/.test(code)) return error
  return new SessionStoreError(
    /^SQLITE_READONLY/.test(code) ? 'READ_ONLY' : 'ACCESS_DENIED',
    'the SQLite database lacks the table of the sessions, and this process may not make it',
    error,
  )
}
