import { isError, SessionStoreError, type SessionStoreErrorCode } from '@session-stores/core'

/** Redis 6 wraps what a script ran into: `ERR Error running script (…): @user_script:21: -OOM command not allowed`. */
const says = (...words: string[]): RegExp => new RegExp(`(^|: -?)(${words.join('|')})\\b`)

const reasons: readonly (readonly [pattern: RegExp, code: SessionStoreErrorCode, message: string])[] = [
  [
    says(
      ...['NOAUTH', 'WRONGPASS', 'NOPERM', 'ERR invalid password', 'ERR AUTH', 'ERR unknown command'],
      ...['ERR The user executing the script', 'ERR ACL failure'],
    ),
    'ACCESS_DENIED',
    'Redis wants other credentials or rights',
  ],
  [says('OOM'), 'STORAGE_FULL', 'Redis is out of memory (maxmemory)'],
  [/^MISCONF .*No space left/, 'STORAGE_FULL', 'Redis is out of disk'],
  [says('READONLY', 'MISCONF'), 'READ_ONLY', 'Redis takes no writes'],
  [says('WRONGTYPE'), 'BAD_STORAGE', "a key is not this store's; give another 'prefix'"],
  [
    says('ERR DB index is out of range', 'ERR invalid DB index', 'ERR SELECT is not allowed'),
    'UNAVAILABLE',
    'Redis has no database of that number',
  ],
  [says('LATE'), 'UNAVAILABLE', 'the call reached Redis so late that it had been given up'],
  [
    says(
      ...['LOADING', 'CLUSTERDOWN', 'TRYAGAIN', 'MASTERDOWN', 'BUSY', 'NOREPLICAS'],
      'ERR max number of clients reached',
    ),
    'UNAVAILABLE',
    'Redis cannot answer now',
  ],
]

/** What ioredis rejected with, as the error to show; `failure` is why there is no connection, where that is known. */
export function explained(error: unknown, failure?: Error): unknown {
  if (!isError(error) || error instanceof SessionStoreError) return error
  const cause = strip(isReply(error) ? error : (failure ?? error))
  const reason = reasons.find(([pattern]) => pattern.test(cause.message))
  if (reason) return new SessionStoreError(reason[1], reason[2], cause)
  // A fault in the program is no outage.
  if (isReply(cause) || isFault(cause)) return cause
  return new SessionStoreError('UNAVAILABLE', 'Redis cannot be reached', cause)
}

/** Whether it is Redis itself that says so. */
export const isReply = (error: Error | undefined): boolean => error?.name === 'ReplyError'

/** Whether it is a fault in the program. By its name, for Node and Jest have a `TypeError` each. */
export const isFault = (error: Error | undefined): boolean => error?.name === 'TypeError'

/** Takes from an error what it gives away: ioredis attaches the command, with keys, payloads and passwords. */
function strip(error: Error & { command?: unknown; lastNodeError?: unknown }): Error {
  delete error.command
  if (isError(error.lastNodeError)) strip(error.lastNodeError)
  const [first] = error.message.split(', with args beginning with')
  if (first !== error.message) {
    error.stack = error.stack?.replace(error.message, () => first!)
    error.message = first!
  }
  return error
}
