import type { Awaitable } from '../driver.ts'

export type Done<T> = (error: unknown, value?: T) => void

/** Whether it has a `then` method, as promises and the thenables of other libraries have. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'

/**
 * Calls `done` with what `produce` returns, throws, fulfils or rejects; at once where `produce` is synchronous.
 * A core of `async` functions costs several microseconds a call more than this. Where `done` throws later than
 * the call, it is called again with what it threw, for nobody else could hear of it.
 */
export function settle<T>(produce: () => Awaitable<T>, done: Done<T>): void {
  let value: Awaitable<T>
  let later: PromiseLike<T> | undefined
  try {
    value = produce()
    // A foreign thenable may call back at once, twice, or throw: a promise made of it does not.
    if (value instanceof Promise) later = value
    else if (isThenable(value)) later = Promise.resolve(value as PromiseLike<T>)
  } catch (error) {
    done(error)
    return
  }
  if (later === undefined) done(null, value as T)
  else
    later.then(
      (fulfilled) => deliver(done, null, fulfilled),
      (error) => deliver(done, error),
    )
}

/** Calls `done`; what it throws goes to `done` itself, and to nobody else who waits for the same answer. */
export function deliver<T>(done: Done<T>, error: unknown, value?: T): void {
  try {
    done(error, value)
  } catch (thrown) {
    done(thrown)
  }
}
