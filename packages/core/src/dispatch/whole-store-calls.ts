import { SessionStoreError, toStoreError } from '../errors.ts'
import type { StoreCallback } from './call.ts'
import { nextTick } from './timers.ts'

/**
 * Runs steps after the calls that were made before. With `alone`, later calls wait for the steps.
 */
type Run = <T>(steps: () => Promise<T>, alone: boolean) => Promise<T>

/**
 * Makes calls about the whole store, which work in steps and begin after the calls that were made
 * before them. They have no place in `maxQueue`, and each of their steps has a time limit of its
 * own.
 */
export class WholeStoreCalls {
  readonly #run: Run
  #isClosed = false

  constructor(run: Run) {
    this.#run = run
  }

  /**
   * Returns a promise, or calls back where there is a callback. With `alone`, later calls wait for
   * this one.
   */
  call<T>(callback: undefined, steps: () => Promise<T>, alone?: boolean): Promise<T>
  call<T>(callback: StoreCallback<T> | undefined, steps: () => Promise<T>, alone?: boolean): Promise<T> | void
  call<T>(callback: StoreCallback<T> | undefined, steps: () => Promise<T>, alone = false): Promise<T> | void {
    const promise = this.#isClosed
      ? Promise.reject(new SessionStoreError('CLOSED', 'the session store is closed'))
      : this.#run(steps, alone).catch((error) => Promise.reject(toStoreError(error)))
    // Nobody handles the rejection where the caller ignores the promise.
    promise.catch(() => {})
    if (typeof callback !== 'function') return promise
    promise.then(
      (value) => nextTick(callback, null, value),
      (error) => nextTick(callback, error),
    )
  }

  /** Refuses calls from now on. */
  close(): void {
    this.#isClosed = true
  }
}
