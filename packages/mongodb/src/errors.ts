import { type ErrorReason, SessionStoreError } from '@session-stores/core'

/** Codes of a server that is not the primary, or is about to end: soon there is a primary again. */
const transient: readonly number[] = [6, 7, 89, 91, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436]
/** Those of a server that refused the command before it began: it is no primary, or not ready. */
const notBegun: readonly number[] = [10107, 13435, 13436]

/** The client passes these on unchanged where a connection breaks while the client writes. */
const brokenConnection: readonly string[] = ['ECONNRESET', 'EPIPE']

/** An error of the client, or the part of a reply about a statement or about the majority. */
interface Failure {
  name?: string
  code?: number | string
  codeName?: string
  message?: string
  errmsg?: string
  /** Set where the error happened while a connection was made, before the command was sent. */
  connectionGeneration?: number
}

const TOOK_TOO_LONG = 'MongoDB ended the call, which took too long; whether it took effect is unknown'

/** By the code of the server. */
const reasons: readonly ErrorReason<readonly number[]>[] = [
  [[13, 18, 31, 33, 8000], 'ACCESS_DENIED', 'MongoDB refused the credentials, or the user lacks a right'],
  [[...transient, 100, 133, 364], 'UNAVAILABLE', 'no MongoDB server takes the command now'],
  [[50, 64, 262, 11_601], 'TIMEOUT', TOOK_TOO_LONG],
  [[166], 'READ_ONLY', 'the collection is a view, which takes no writes'],
  [[14031], 'STORAGE_FULL', 'MongoDB is out of disk'],
  [[10334, 17419, 17420], 'PAYLOAD_TOO_LARGE', 'the session is larger than MongoDB takes'],
  [
    [67, 73, 85, 86, 121, 11_000],
    'BAD_STORAGE',
    "the collection is not this store's; name another one with the option 'collection'",
  ],
]

const unreachable =
  /^(MongoNetwork|MongoServerSelection|MongoNotConnected|MongoTopologyClosed|MongoClientClosed|MongoServerClosed|MongoPool|PoolCleared|MongoWaitQueue)/

/**
 * Whether the same command may succeed when it is sent again, to the server that is primary then.
 */
export function isTransient(error: unknown): boolean {
  const { name = '', code } = error as Failure
  if (typeof code === 'string') return brokenConnection.includes(code)
  return transient.includes(code as number) || /^(MongoNetworkError|.*PoolCleared.*)$/.test(name)
}

/**
 * Whether the command certainly did nothing. The failure of one statement, or to reach a majority,
 * leaves that open, and so does a command that was interrupted or lost its connection.
 */
export function didNothing(error: unknown): boolean {
  const { name, code, connectionGeneration } = error as Failure
  if (name === 'MongoServerError') return notBegun.includes(code as number)
  return name === 'MongoPoolClearedError' || connectionGeneration !== undefined
}

/** Whether an index that the command names is missing. */
export function isMissingIndex(error: unknown): boolean {
  const { message, errmsg = '' } = error as Failure
  return /hint provided does not correspond|bad hint/.test(message ?? errmsg)
}

/** Returns the error of a call that got no answer in time. */
export function toTimeout(cause?: unknown): SessionStoreError {
  return new SessionStoreError(
    'TIMEOUT',
    'MongoDB gave no answer in time; whether the call took effect is unknown',
    cause,
  )
}

/**
 * Turns an error of the client or of a reply into a `SessionStoreError` that holds neither keys nor
 * payloads. Returns an error as it is where the driver knows no better reason.
 */
export function toStoreError(error: unknown): unknown {
  const { name = '', code, connectionGeneration } = error as Failure
  if (isMissingIndex(error)) {
    const message = 'an index of the collection was dropped, and is not back yet'
    return new SessionStoreError('UNAVAILABLE', message, withoutCommand(error as Failure))
  }
  if (typeof code === 'number') {
    const [, kind = 'BACKEND', message = 'MongoDB failed; see cause'] =
      reasons.find(([codes]) => codes.includes(code)) ?? []
    return new SessionStoreError(kind, message, withoutCommand(error as Failure))
  }
  if (name === 'MongoOperationTimeoutError') return new SessionStoreError('TIMEOUT', TOOK_TOO_LONG, error)
  if (name === 'MongoNetworkTimeoutError' && connectionGeneration === undefined) return toTimeout(error)
  // Lookups of names fail with the system's codes, such as ENOTFOUND.
  if (unreachable.test(name) || /^E(?!RR_)/.test(code ?? ''))
    return new SessionStoreError('UNAVAILABLE', 'MongoDB cannot be reached', error)
  return error
}

/**
 * Returns the error without the command, because a server repeats the command that it refuses, with
 * its documents, and the client's error contains the whole answer.
 */
function withoutCommand({ name = 'MongoServerError', code, codeName, message, errmsg = '' }: Failure): Error {
  const [text = ''] = (message ?? errmsg).split(/[{"]/, 1)
  return Object.assign(new Error(text.trim() || `error ${code}`), { name, code, codeName })
}
