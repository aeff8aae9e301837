import type { Awaitable } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'
import { clearTimeout, setTimeout } from './timers.ts'

/** A callback in Node's style: the error, or `null` and the value. */
export type Done<T> = (error: unknown, value?: T) => void

/** Whether the value has a `then` method, as promises and the thenables of other libraries have. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'

/**
 * Calls `done` with what `produce` returns, throws, resolves or rejects with: at once where
 * `produce` is synchronous. The hot path uses callbacks, because `async` functions cost several
 * microseconds more per call. Where `done` throws in a later turn, it is called again with what it
 * threw, because nobody else would learn of the error.
 */
export function settle<T>(produce: () => Awaitable<T>, done: Done<T>): void {
  let value: Awaitable<T>
  let later: PromiseLike<T> | undefined
  try {
    value = produce()
    // A foreign thenable may call back at once, call back twice, or throw. A promise made of it
    // does not.
    if (value instanceof Promise) later = value
    else if (isThenable(value)) later = Promise.resolve(value as PromiseLike<T>)
  } catch (error) {
    done(error)
    return
  }
  if (later === undefined) done(null, value as T)
  else
    later.then(
      (resolved) => deliver(done, null, resolved),
      (error) => deliver(done, error),
    )
}

/** Returns a promise of what `start` hands to its callback. */
export const toPromise = <T>(start: (done: Done<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    start((error, value) => (error == null ? resolve(value as T) : reject(error)))
  })

/**
 * Returns the answer, or rejects with `TIMEOUT` where none comes within `timeout` milliseconds.
 * `who` is the subject of the message.
 */
export function inTime<T>(answer: PromiseLike<T>, timeout: number, who: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const message = `${who} gave no answer within ${timeout} ms (operationTimeout)`
      reject(new SessionStoreError('TIMEOUT', message))
    }, timeout).unref()
    Promise.resolve(answer)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}

/** Rejects. Where the caller ignores the promise, the rejection counts as handled. */
export function reject(error: unknown): Promise<never> {
  const rejected = Promise.reject(error)
  rejected.catch(() => {})
  return rejected
}

/**
 * Calls `done`. What `done` throws goes to `done` itself, so that others who wait for the answer
 * get theirs.
 */
export function deliver<T>(done: Done<T>, error: unknown, value?: T): void {
  try {
    done(error, value)
  } catch (thrown) {
    done(thrown)
  }
}
