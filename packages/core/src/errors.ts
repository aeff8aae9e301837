import { types } from 'node:util'

/**
 * Every way a store fails. Codes are stable: match on `error.code`, never on the message.
 *
 * - `INVALID_ID`: the session id is empty, too long, no string, or has characters that are not allowed.
 * - `INVALID_USER`: a user's id that is no non-empty string and no number. A `user` that is `undefined` is refused, too: left out, it would mean everybody.
 * - `INVALID_QUERY`: a `limit` or `after` that `list` cannot take.
 * - `INVALID_SESSION`: no object, no `cookie`, a `cookie.expires` that is no date, or a `toJSON` that leaves no cookie.
 * - `NOT_SERIALIZABLE`: the serializer threw (a cycle, a BigInt, a `toJSON` that throws).
 * - `PAYLOAD_TOO_LARGE`: more than `maxPayload`; the stored session stays as it was.
 * - `CORRUPT`: the stored row cannot be read as a session.
 * - `SEAL_BROKEN`: no key of the ring opens it: an unknown key, a changed byte, or a row moved elsewhere.
 * - `NOT_SEALED`: sealing is on and the row is plain.
 * - `CONFLICT`: somebody else wrote the session (`onConflict: 'error'`); or an earlier save of the same object got no
 *   answer and somebody else wrote since, so that a merge would be a guess: read the session again.
 * - `GONE`: the session was destroyed or expired before it was saved (`onGone: 'error'`), or before `regenerate`.
 * - `TIMEOUT`: no answer within `operationTimeout`; whether it took effect is unknown.
 * - `OVERLOADED`: `maxQueue` calls are waiting already, or half as many for one session.
 * - `CLOSED`: the store was closed.
 * - `UNAVAILABLE`: the database cannot be reached, or the connection broke: whether a save took effect is unknown.
 * - `ACCESS_DENIED`: wrong or missing credentials or rights.
 * - `READ_ONLY`: the database takes no writes (a replica, a read-only file).
 * - `STORAGE_FULL`: out of memory or disk.
 * - `BAD_STORAGE`: what is there is not what the store made: a file that is no database, another table.
 * - `BACKEND`: any other error of the database; see `cause`.
 */
export type SessionStoreErrorCode =
  | 'INVALID_ID'
  | 'INVALID_USER'
  | 'INVALID_QUERY'
  | 'INVALID_SESSION'
  | 'NOT_SERIALIZABLE'
  | 'PAYLOAD_TOO_LARGE'
  | 'CORRUPT'
  | 'SEAL_BROKEN'
  | 'NOT_SEALED'
  | 'CONFLICT'
  | 'GONE'
  | 'TIMEOUT'
  | 'OVERLOADED'
  | 'CLOSED'
  | 'UNAVAILABLE'
  | 'ACCESS_DENIED'
  | 'READ_ONLY'
  | 'STORAGE_FULL'
  | 'BAD_STORAGE'
  | 'BACKEND'

/**
 * The one error class of the stores. `message` never holds an id, a payload or a credential; `cause` is the
 * client's own error where there is one.
 */
export class SessionStoreError extends Error {
  override readonly name = 'SessionStoreError'
  readonly code: SessionStoreErrorCode

  constructor(code: SessionStoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * What `Driver.write` rejects with where the client may have sent the call twice and the database refused a part of
 * it: whether the refused writes landed at the first try is unknown. For authors of drivers; stores never show it.
 */
export class UncertainWriteError extends SessionStoreError {
  /** The keys of the writes that landed for sure. */
  readonly landed: readonly string[]

  constructor(landed: readonly string[], cause?: unknown) {
    super('UNAVAILABLE', 'the connection broke, and whether the save took effect is unknown', cause)
    this.landed = landed
  }
}

/** Whether it is an error of the stores; what was thrown may be an object on which every operation throws. */
export function isStoreError(error: unknown): error is SessionStoreError {
  try {
    return error instanceof SessionStoreError
  } catch {
    return false
  }
}

/**
 * Whether it is an `Error`, whichever realm its class is from: Jest and `node:vm` have an `Error` of their own. For
 * authors of drivers.
 */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

/** What a driver threw, as a `SessionStoreError`. */
export function backendError(driver: string, error: unknown): SessionStoreError {
  if (isStoreError(error)) return error
  return new SessionStoreError('BACKEND', `the ${driver} driver failed; see cause`, error)
}

/** What the application's own code threw inside a call (a getter of the session, the `user` option, …). */
export function asStoreError(error: unknown): SessionStoreError {
  if (isStoreError(error)) return error
  return new SessionStoreError(
    'INVALID_SESSION',
    'the session, or a function among the options, threw; see cause',
    error,
  )
}
