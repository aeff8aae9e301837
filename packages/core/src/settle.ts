import type { Awaitable } from './driver.ts'

export type Done<T> = (error: unknown, value?: T) => void

const isPromise = (value: unknown): value is Promise<unknown> =>
  typeof (value as Promise<unknown> | null | undefined)?.then === 'function'

/**
 * Calls `done` once with what `produce` returns, throws, fulfils or rejects; at once where `produce` is
 * synchronous. A core of `async` functions costs several microseconds a call more than this.
 */
export function settle<T>(produce: () => Awaitable<T>, done: Done<T>): void {
  let value: Awaitable<T>
  try {
    value = produce()
  } catch (error) {
    done(error)
    return
  }
  if (isPromise(value)) value.then((fulfilled) => done(null, fulfilled), done)
  else done(null, value)
}
