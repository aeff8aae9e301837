import { SessionStoreError } from '@session-stores/core'

/**
 * Gives an error of the store the status 503, which Express answers with: the visitor is not signed
 * out, and may try again.
 */
export function withStatus(error: unknown): unknown {
  if (isStoreError(error) && !UNREADABLE.has(error.code) && !Object.hasOwn(error, 'status'))
    Object.defineProperties(error, {
      status: { value: 503, configurable: true, writable: true },
      headers: { value: { 'Retry-After': '1' }, configurable: true, writable: true },
    })
  return error
}

/** Another try does not make a session readable, so these stay errors of the server. */
export const UNREADABLE: ReadonlySet<string> = new Set(['CORRUPT', 'SEAL_BROKEN', 'NOT_SEALED'])

/** Also recognizes the errors of another copy of core, such as its CommonJS build. */
export const isStoreError = (error: unknown): error is SessionStoreError =>
  error instanceof SessionStoreError || (error as Error | undefined)?.name === 'SessionStoreError'

/** Turns a method of the session that takes a callback into a promise, with errors as `asking`. */
export const promised = (start: (callback: (error?: unknown) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => (error == null ? resolve() : reject(withStatus(error))))
  })

/** Waits for the store. Its errors get the status that Express answers with. */
export const asking = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw withStatus(error)
  })
