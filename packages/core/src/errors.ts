import { types } from 'node:util'

/**
 * Every way in which a store fails. Codes are stable: match on `error.code`, never on the message.
 */
export type SessionStoreErrorCode =
  /**
   * The session id is not a string, is empty or too long, or has characters that are not allowed.
   */
  | 'INVALID_ID'
  /**
   * The id of a user is neither a non-empty string nor a number. A `user` that is `undefined` is
   * refused, too: a mistake must not come to mean every user.
   */
  | 'INVALID_USER'
  /** `list` got a `limit` or an `after` that it cannot use. */
  | 'INVALID_QUERY'
  /**
   * The session is not an object with a `cookie`, its `cookie.expires` is not a date, or its
   * `toJSON` leaves no cookie. Also: a getter of the session or a function among the options threw.
   */
  | 'INVALID_SESSION'
  /** The serializer threw, for example because of a cycle, a BigInt or a `toJSON` that throws. */
  | 'NOT_SERIALIZABLE'
  /**
   * The session is larger than `maxPayload`, or than the database takes. The stored session is
   * unchanged.
   */
  | 'PAYLOAD_TOO_LARGE'
  /** The stored row cannot be read as a session. */
  | 'CORRUPT'
  /**
   * A newer version of the packages has stored the session, in a format that this one cannot read. The
   * row stays as it is, and only a logout ends it. See docs/production/upgrading.md.
   */
  | 'FORMAT_TOO_NEW'
  /**
   * A newer version of the packages has changed the table or the collection, so that this one cannot
   * use it any more.
   */
  | 'SCHEMA_TOO_NEW'
  /**
   * No key in `seal.keys` opens the session: the key is unknown, a byte was changed, or the row was
   * moved.
   */
  | 'SEAL_BROKEN'
  /** Sealing is on, and the stored session is not sealed. */
  | 'NOT_SEALED'
  /**
   * Another request saved the session (with `onConflict: 'error'`). Also: an earlier save of the
   * same object got no answer and another request has saved since, so a merge would be a guess.
   * Read the session again and retry.
   */
  | 'CONFLICT'
  /**
   * The session was destroyed or had expired before it was saved (`onGone: 'error'`) or
   * regenerated. With a `cause`, an earlier try of the same save got no answer, and may have taken
   * effect before the session ended.
   */
  | 'GONE'
  /** No answer came within `operationTimeout`. Whether the call took effect is unknown. */
  | 'TIMEOUT'
  /** `maxQueue` calls are waiting already, or half as many for one session. */
  | 'OVERLOADED'
  /** The store has been closed. */
  | 'CLOSED'
  /**
   * The database cannot be reached, or the connection broke. Whether a save took effect is unknown.
   */
  | 'UNAVAILABLE'
  /** Credentials or rights are wrong or missing. */
  | 'ACCESS_DENIED'
  /** The database takes no writes, because it is a replica or its file is read-only. */
  | 'READ_ONLY'
  /** The database is out of memory or disk. */
  | 'STORAGE_FULL'
  /**
   * The storage is not what the store made: for example the file is not a database, or the table is
   * another one.
   */
  | 'BAD_STORAGE'
  /** Any other error of the database. See `cause`. */
  | 'BACKEND'

/**
 * The error class of the stores. `message` never holds an id, a payload or a credential. `cause` is
 * the error of the database's client, where there is one.
 *
 * @example
 * try {
 *   await store.ping()
 * } catch (error) {
 *   if (error instanceof SessionStoreError && error.code === 'UNAVAILABLE') retryLater()
 * }
 */
export class SessionStoreError extends Error {
  override readonly name = 'SessionStoreError'
  /** Says what failed; stable across versions. */
  readonly code: SessionStoreErrorCode

  constructor(code: SessionStoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/**
 * A driver's `write` rejects with this error where the client may have sent the call twice and the
 * database refused a part of it: whether the refused writes landed at the first attempt is unknown.
 * Stores never show it to callers.
 */
export class UncertainWriteError extends SessionStoreError {
  /** The keys of the writes that certainly landed. */
  readonly landed: readonly string[]

  constructor(landed: readonly string[], cause?: unknown) {
    super('UNAVAILABLE', 'the connection broke, and whether the save took effect is unknown', cause)
    this.landed = landed
  }
}

/**
 * A row of a driver's table of errors: which errors of the client or the server it is about (a
 * pattern, or codes), and the code and message that callers get. For authors of drivers.
 */
export type ErrorReason<Matches = RegExp> = readonly [
  matches: Matches,
  code: SessionStoreErrorCode,
  message: string,
]

/**
 * Whether the value is an error of the stores. Any operation on a thrown object may throw, so this
 * one must not.
 */
export function isStoreError(error: unknown): error is SessionStoreError {
  try {
    return error instanceof SessionStoreError
  } catch {
    return false
  }
}

/**
 * Whether the value is an `Error` of any realm: Jest and `node:vm` have an `Error` class of their
 * own. For authors of drivers.
 */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error
}

/** Turns what a driver threw into a `SessionStoreError`. */
export function toDriverError(driver: string, error: unknown): SessionStoreError {
  if (isStoreError(error)) return error
  return new SessionStoreError('BACKEND', `the ${driver} driver failed; see cause`, error)
}

/** Turns what the application's own code threw inside a call into a `SessionStoreError`. */
export function toStoreError(error: unknown): SessionStoreError {
  if (isStoreError(error)) return error
  return new SessionStoreError(
    'INVALID_SESSION',
    'the session, or a function among the options, threw; see cause',
    error,
  )
}
