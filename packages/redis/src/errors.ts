import { type ErrorReason, isError, SessionStoreError } from '@session-stores/core'

/**
 * Matches errors that begin with one of the words. Redis 6 wraps the error of a command in a
 * script: `ERR Error running script (…): @user_script:21: -OOM command not allowed`.
 */
const matchWords = (...words: string[]): RegExp => new RegExp(`(^|: -?)(${words.join('|')})\\b`)

const reasons: readonly ErrorReason[] = [
  [
    matchWords(
      ...['NOAUTH', 'WRONGPASS', 'NOPERM', 'ERR invalid password', 'ERR AUTH', 'ERR unknown command'],
      ...['ERR The user executing the script', 'ERR ACL failure'],
    ),
    'ACCESS_DENIED',
    'Redis refused the credentials, or the user lacks a right',
  ],
  [matchWords('OOM'), 'STORAGE_FULL', 'Redis is out of memory (maxmemory)'],
  [/^MISCONF .*No space left/, 'STORAGE_FULL', 'Redis is out of disk'],
  [matchWords('READONLY', 'MISCONF'), 'READ_ONLY', 'Redis takes no writes'],
  [matchWords('WRONGTYPE'), 'BAD_STORAGE', "a key is not this store's; give another 'prefix'"],
  [
    matchWords('ERR DB index is out of range', 'ERR invalid DB index', 'ERR SELECT is not allowed'),
    'UNAVAILABLE',
    'Redis has no database with that number',
  ],
  [matchWords('LATE'), 'UNAVAILABLE', 'the call reached Redis so late that it had been given up'],
  [
    matchWords(
      ...['LOADING', 'CLUSTERDOWN', 'TRYAGAIN', 'MASTERDOWN', 'BUSY', 'NOREPLICAS'],
      'ERR max number of clients reached',
    ),
    'UNAVAILABLE',
    'Redis cannot answer now',
  ],
]

/**
 * Turns an error of the client into the one that callers get: a `SessionStoreError`, except for an
 * unknown error of Redis or a fault in the program.
 *
 * @param failure why there is no connection, where that is known
 */
export function toStoreError(error: unknown, failure?: Error): unknown {
  if (!isError(error) || error instanceof SessionStoreError) return error
  const cause = removeSecrets(isReply(error) ? error : (failure ?? error))
  const reason = reasons.find(([pattern]) => pattern.test(cause.message))
  if (reason) return new SessionStoreError(reason[1], reason[2], cause)
  if (isReply(cause) || isFault(cause)) return cause
  return new SessionStoreError('UNAVAILABLE', 'Redis cannot be reached', cause)
}

/**
 * Whether Redis itself answered with this error. Node-redis gives such errors no name of their own.
 * But every answer begins with a word in capitals, and the errors of a system have a code instead.
 */
export const isReply = (error: (Error & { code?: unknown }) | undefined): boolean =>
  error?.name === 'ReplyError' ||
  (error?.name === 'Error' && error.code === undefined && /^[A-Z][A-Z\d_]* /.test(error.message))

/**
 * Whether the error is a fault in the program, which is no outage. The name tells, because Node and
 * Jest have a `TypeError` class each.
 */
export const isFault = (error: Error | undefined): boolean => error?.name === 'TypeError'

/** Removes the command that ioredis attaches to an error, with keys, payloads and passwords. */
function removeSecrets(error: Error & { command?: unknown; lastNodeError?: unknown }): Error {
  delete error.command
  if (isError(error.lastNodeError)) removeSecrets(error.lastNodeError)
  const [first] = error.message.split(', with args beginning with')
  if (first !== error.message) {
    error.stack = error.stack?.replace(error.message, () => first!)
    error.message = first!
  }
  return error
}
