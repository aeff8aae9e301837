import { setTimeout as sleep } from 'node:timers/promises'
import { type Awaitable, SessionStoreError, type SessionStoreErrorCode } from '@session-stores/core'

/** How long a call waits for a lock in all, in milliseconds: a little less than the core waits for the call. */
const LONGEST_WAIT = 4000

/** Thrown where the database is free of locks and must be left alone all the same. */
export const NOT_NOW: unique symbol = Symbol('not now')

/** Does the work at once if no lock is in its way, else gives a promise and tries until there is none. */
export function attempt<T>(work: () => T): Awaitable<T> {
  try {
    return work()
  } catch (error) {
    if (!isLocked(error)) throw explained(error)
    return attemptLater(work)
  }
}

async function attemptLater<T>(work: () => T): Promise<T> {
  const end = performance.now() + LONGEST_WAIT
  for (;;) {
    // At random, so that processes which wait for each other do not meet again.
    await sleep(2 + Math.random() * 20)
    try {
      return work()
    } catch (error) {
      if (!isLocked(error)) throw explained(error)
      if (performance.now() < end) continue
      throw new SessionStoreError('UNAVAILABLE', `the SQLite database stayed locked for ${LONGEST_WAIT} ms`)
    }
  }
}

function isLocked(error: unknown): boolean {
  if (error === NOT_NOW) return true
  const { code, message } = error as { code?: string; message?: string }
  // A lent database, while its owner walks over the rows of a statement.
  if (code === undefined) return message === 'This database connection is busy executing a query'
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)
}

const reasons: readonly (readonly [pattern: RegExp, code: SessionStoreErrorCode, message: string])[] = [
  [/^SQLITE_READONLY/, 'READ_ONLY', 'the SQLite database is read-only'],
  [/^SQLITE_(CANTOPEN|IOERR)/, 'UNAVAILABLE', 'the SQLite file cannot be opened, read or written'],
  [/^SQLITE_(AUTH|PERM)/, 'ACCESS_DENIED', 'the SQLite database denies access'],
  [/^SQLITE_(FULL|NOMEM)/, 'STORAGE_FULL', 'the SQLite database is out of disk or memory'],
  [/^SQLITE_(NOTADB|CORRUPT|FORMAT)/, 'BAD_STORAGE', 'the file is no SQLite database, or a damaged one'],
  // Every statement is right for the driver's own table: it must be another one.
  [
    /^SQLITE_(ERROR|CONSTRAINT|MISMATCH)/,
    'BAD_STORAGE',
    "the table is not this store's; name another 'table'",
  ],
  [/^SQLITE_TOOBIG|^RangeError/, 'PAYLOAD_TOO_LARGE', 'the session is larger than SQLite takes'],
  [/directory does not exist/, 'UNAVAILABLE', 'the folder of the SQLite file does not exist'],
  [/connection is not open/, 'UNAVAILABLE', 'the SQLite database that was lent is closed'],
]

function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SessionStoreError) return error
  // better-sqlite3 throws a few errors of its own, which have no code.
  const { code = `${error.name}: ${error.message}` } = error as { code?: string }
  const reason = reasons.find(([pattern]) => pattern.test(code))
  return reason ? new SessionStoreError(reason[1], reason[2], error) : error
}
