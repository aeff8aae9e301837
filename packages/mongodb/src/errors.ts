import { SessionStoreError, type SessionStoreErrorCode } from '@session-stores/core'

/** Codes of a server that is not the primary, or no longer, or is about to end: another one is, or it will be. */
const passing: readonly number[] = [6, 7, 89, 91, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436]

/** Says whether the same command may succeed at once, sent to whoever is the primary now. */
export function isPassing(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: number }
  return passing.includes(code as number) || /^(MongoNetworkError|.*PoolCleared.*)$/.test(name ?? '')
}

const reasons: readonly (readonly [
  codes: readonly number[],
  code: SessionStoreErrorCode,
  message: string,
])[] = [
  [[13, 18, 31, 33, 8000], 'ACCESS_DENIED', 'MongoDB wants other credentials or rights'],
  [[...passing, 100, 133, 364], 'UNAVAILABLE', 'no MongoDB server takes the command now'],
  [
    [50, 64, 262, 11_601],
    'TIMEOUT',
    'MongoDB ended the call, which took too long; whether it took effect is unknown',
  ],
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
  const { name = '', code } = error as { name?: string; code?: number | string }
  if (typeof code === 'number') {
    const [, kind = 'BACKEND', message = 'MongoDB failed; see cause'] =
      reasons.find(([codes]) => codes.includes(code)) ?? []
    return new SessionStoreError(kind, message, withoutCommand(error as ServerError))
  }
  // Name servers give the system's codes, such as ENOTFOUND.
  if (unreachable.test(name) || /^E(?!RR_)/.test(code ?? ''))
    return new SessionStoreError('UNAVAILABLE', 'MongoDB cannot be reached', error)
  if (name === 'MongoOperationTimeoutError') return new SessionStoreError('TIMEOUT', reasons[2]![2], error)
  return error
}

interface ServerError {
  name?: string
  code?: number
  codeName?: string
  message?: string
  errmsg?: string
}

/** Servers repeat the command that they refuse, documents and all; the client's error holds the answer whole. */
function withoutCommand({
  name = 'MongoServerError',
  code,
  codeName,
  message,
  errmsg = '',
}: ServerError): Error {
  const [text = ''] = (message ?? errmsg).split(/[{"]/, 1)
  return Object.assign(new Error(text.trim() || `error ${code}`), { name, code, codeName })
}
