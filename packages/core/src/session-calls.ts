import type { Call, Calls, StoreCallback } from './dispatch/call.ts'
import { toPromise } from './dispatch/settle.ts'

/** Makes calls about one session. No call throws: each failure goes to its callback or promise. */
export class SessionCalls {
  readonly #calls: Calls

  constructor(calls: Calls) {
    this.#calls = calls
  }

  /** Calls back, or returns a promise where there is no callback. */
  make<T>(callback: StoreCallback<T> | undefined, start: (call: Call<T>) => void): Promise<T> | void {
    if (typeof callback === 'function') return this.#start(callback, start)
    return this.promise(start)
  }

  promise<T>(start: (call: Call<T>) => void): Promise<T> {
    const promise = toPromise<T>((done) => this.#start(done, start))
    // express-session destroys without a callback, and nobody handles the rejection then.
    promise.catch(() => {})
    return promise
  }

  #start<T>(callback: StoreCallback<T>, start: (call: Call<T>) => void): void {
    const call = this.#calls.open(callback)
    if (call.done) return
    try {
      start(call)
    } catch (error) {
      call.finish(error)
    }
  }
}
