import { type ErrorReason, SessionStoreError } from '@session-stores/core'

/** What the clients of the four databases throw, and what a caller of a store gets for it. */
const reasons: readonly ErrorReason[] = [
  [
    /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|EAI_AGAIN|connection (is |was )?(closed|terminated|ended)|client (is|was) closed|not connected|socket closed|MaxRetries|NetworkError|ServerSelection|NotConnected|PoolClosed|NotPrimary|\b(57P0[123]|08\w{3}|53300)\b|SQLITE_(BUSY|LOCKED)|CLUSTERDOWN|LOADING|timeout|timed out/i,
    'UNAVAILABLE',
    'its database cannot be reached',
  ],
  [
    /NOAUTH|WRONGPASS|NOPERM|\b(42501|28P01|28000)\b|not authorized|Unauthorized|Authentication/i,
    'ACCESS_DENIED',
    'its database refused the credentials, or the user lacks a right',
  ],
  [/READONLY|\b25006\b|SQLITE_READONLY|NotWritablePrimary/i, 'READ_ONLY', 'its database takes no writes'],
  [/\bOOM\b|\b53[12]00\b|SQLITE_FULL|OutOfDiskSpace/i, 'STORAGE_FULL', 'its database is full'],
  [/WRONGTYPE/, 'CORRUPT', 'a key under the prefix holds no text'],
  [
    /\b(42P01|42703|42883|42804|42846)\b|no such (table|column)|SQLITE_(NOTADB|CORRUPT)/i,
    'BAD_STORAGE',
    'the table is missing, or is not the one that the package made',
  ],
]

/**
 * Turns what a client threw into an error of the stores, whose message begins with the name of the
 * package.
 */
export function toError(name: string, error: unknown): SessionStoreError {
  if (error instanceof SessionStoreError) return error
  const { code, codeName, name: kind, message } = (error ?? {}) as Record<string, unknown>
  const text = [code, codeName, kind, message].filter((part) => part !== undefined).join(' ')
  const reason = reasons.find(([pattern]) => pattern.test(text))
  if (reason === undefined)
    return new SessionStoreError('BACKEND', `${name}: its database failed; see cause`, error)
  return new SessionStoreError(reason[1], `${name}: ${reason[2]}`, error)
}
