import { SessionStoreError, type SessionStoreErrorCode } from '@session-stores/core'

/** Codes of a server that is not the primary, or no longer, or is about to end: another one is, or it will be. */
const passing: readonly number[] = [6, 7, 89, 91, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436]
/** Those of a server that looked at the command and did not begin: it is no primary, or not ready. */
const notBegun: readonly number[] = [10107, 13435, 13436]

/** The client hands these on as they are where a connection breaks while it writes. */
const brokenConnection: readonly string[] = ['ECONNRESET', 'EPIPE']

/** What the client threw, or what a reply says of a statement or of the majority. */
interface Failure {
  name?: string
  code?: number | string
  codeName?: string
  message?: string
  errmsg?: string
  /** On what happened while a connection was made, before the command was sent. */
  connectionGeneration?: number
}

/** Says whether the same command may succeed at once, sent to whoever is the primary now. */
export function isPassing(error: unknown): boolean {
  const { name = '', code } = error as Failure
  if (typeof code === 'string') return brokenConnection.includes(code)
  return passing.includes(code as number) || /^(MongoNetworkError|.*PoolCleared.*)$/.test(name)
}

/**
 * Says whether it is certain that the command did nothing. A statement's own failure says nothing of the others, nor
 * does one to reach a majority; and what was interrupted, or lost its connection, may have been done.
 */
export function didNothing(error: unknown): boolean {
  const { name, code, connectionGeneration } = error as Failure
  if (name === 'MongoServerError') return notBegun.includes(code as number)
  return name === 'MongoPoolClearedError' || connectionGeneration !== undefined
}

/** Says whether an index is gone that a command names. */
export function isMissingIndex(error: unknown): boolean {
  const { message, errmsg = '' } = error as Failure
  return /hint provided does not correspond|bad hint/.test(message ?? errmsg)
}

const tookTooLong = 'MongoDB ended the call, which took too long; whether it took effect is unknown'

const silent = 'MongoDB gave no answer in time; whether the call took effect is unknown'

const reasons: readonly (readonly [
  codes: readonly number[],
  code: SessionStoreErrorCode,
  message: string,
])[] = [
  [[13, 18, 31, 33, 8000], 'ACCESS_DENIED', 'MongoDB wants other credentials or rights'],
  [[...passing, 100, 133, 364], 'UNAVAILABLE', 'no MongoDB server takes the command now'],
  [[50, 64, 262, 11_601], 'TIMEOUT', tookTooLong],
  [[166], 'READ_ONLY', 'the collection is a view, which takes no writes'],
  [[14031], 'STORAGE_FULL', 'MongoDB is out of disk'],
  [[10334, 17419, 17420], 'PAYLOAD_TOO_LARGE', 'the session is larger than MongoDB takes'],
  [
    [67, 73, 85, 86, 121, 11_000],
    'BAD_STORAGE',
    "the collection is not this store's; name another 'collection'",
  ],
]

const unreachable =
  /^(MongoNetwork|MongoServerSelection|MongoNotConnected|MongoTopologyClosed|MongoClientClosed|MongoServerClosed|MongoPool|PoolCleared|MongoWaitQueue)/

/** What the client threw or the server said, as an error that holds neither keys nor payloads. */
export function explained(error: unknown): unknown {
  const { name = '', code, connectionGeneration } = error as Failure
  if (typeof code === 'number') {
    const [, kind = 'BACKEND', message = 'MongoDB failed; see cause'] =
      reasons.find(([codes]) => codes.includes(code)) ?? []
    return new SessionStoreError(kind, message, withoutCommand(error as Failure))
  }
  if (name === 'MongoOperationTimeoutError') return new SessionStoreError('TIMEOUT', tookTooLong, error)
  if (name === 'MongoNetworkTimeoutError' && connectionGeneration === undefined)
    return new SessionStoreError('TIMEOUT', silent, error)
  // Name servers give the system's codes, such as ENOTFOUND.
  if (unreachable.test(name) || /^E(?!RR_)/.test(code ?? ''))
    return new SessionStoreError('UNAVAILABLE', 'MongoDB cannot be reached', error)
  return error
}

/** Servers repeat the command that they refuse, documents and all; the client's error holds the answer whole. */
function withoutCommand({ name = 'MongoServerError', code, codeName, message, errmsg = '' }: Failure): Error {
  const [text = ''] = (message ?? errmsg).split(/[{"]/, 1)
  return Object.assign(new Error(text.trim() || `error ${code}`), { name, code, codeName })
}
