import { AsyncResource } from 'node:async_hooks'
import { SessionStoreError, toStoreError } from '../errors.ts'
import { nextTick, setTimeout, uptime } from './timers.ts'

/**
 * The callback of a store's method: `(null)` or `(null, value)` on success, else the error alone.
 * It is called exactly once, later than the method, in the async context of the caller.
 */
export type StoreCallback<T = void> = (error: SessionStoreError | null, value?: T) => void

/** Who has a turn: a call of the application, or a step of one. */
export interface Owner {
  /** Whether the owner has been answered. A turn that has not begun by then is dropped. */
  readonly done: boolean
  /** Ends the turn that the owner has. */
  release: (() => void) | undefined
  /** Answers the owner, which ends its turn. */
  finish(error: unknown): void
}

/**
 * A call of the application that waits for its answer. It remembers the caller's async context,
 * because many calls share a batch, and a callback must not run in the `AsyncLocalStorage` of
 * another call.
 */
export class Call<T> extends AsyncResource implements Owner {
  #calls: Calls
  #callback: StoreCallback<T>
  #error: SessionStoreError | null = null
  #value: T | undefined
  done = false
  release: (() => void) | undefined
  /** Called when the time of the call is up while something that it sent may still take effect. */
  abandon: (() => void) | undefined
  /** The neighbours in the list of open calls, which is ordered by age. */
  older: Call<unknown> | undefined
  newer: Call<unknown> | undefined
  openedAt: number = uptime()

  constructor(calls: Calls, callback: StoreCallback<T>) {
    super('SessionStoreCall')
    this.#calls = calls
    this.#callback = callback
  }

  /**
   * Answers the caller in a later tick, and ends the turn of the call. Further answers are ignored.
   */
  finish(error: unknown, value?: T): void {
    if (this.done) return
    this.done = true
    this.#calls.remove(this as Call<unknown>)
    this.#error = error == null ? null : toStoreError(error)
    this.#value = value
    const { release } = this
    if (release !== undefined) {
      this.release = undefined
      release()
    }
    if (answered.push(this as Call<unknown>) === 1) nextTick(deliverAnswers)
  }

  /** Calls the callback. */
  deliver(): void {
    const error = this.#error
    const value = this.#value
    if (error !== null) this.runInAsyncScope(this.#callback, null, error)
    else if (value === undefined) this.runInAsyncScope(this.#callback, null, null)
    else this.runInAsyncScope(this.#callback, null, null, value)
  }
}

/** The calls of a batch share one tick, because a tick for each call costs a fifth of a touch. */
let answered: Call<unknown>[] = []

function deliverAnswers(): void {
  const calls = answered
  answered = []
  let next = 0
  try {
    while (next < calls.length) calls[next++]!.deliver()
  } finally {
    // A callback that throws must not keep the answers from the other calls.
    if (next < calls.length) {
      answered = [...calls.slice(next), ...answered]
      nextTick(deliverAnswers)
    }
  }
}

/**
 * The open calls: at most `maxQueue`, each for at most `timeout` milliseconds. All calls have the
 * same time to live, so one linked list in the order of arrival and one timer serve them all.
 */
export class Calls {
  #oldest: Call<unknown> | undefined
  #newest: Call<unknown> | undefined
  #timer: NodeJS.Timeout | undefined
  #timeout: number
  #maxQueue: number
  #onIdle: (() => void) | undefined
  #isClosed = false
  /** Those who wait until certain calls have been answered. */
  #watchers: { calls: Set<Call<unknown>>; resolve: () => void }[] = []
  size = 0

  /** `timeout` is in milliseconds; `maxQueue` is a number of calls. */
  constructor(timeout: number, maxQueue: number) {
    this.#timeout = timeout
    this.#maxQueue = maxQueue
  }

  /** Opens a call. A call that is refused (`CLOSED`, `OVERLOADED`) is finished already. */
  open<T>(callback: StoreCallback<T>): Call<T> {
    const call = new Call(this, callback)
    this.#add(call as Call<unknown>)
    if (this.#isClosed) call.finish(new SessionStoreError('CLOSED', 'the session store is closed'))
    else if (this.size > this.#maxQueue)
      call.finish(
        new SessionStoreError('OVERLOADED', `more than ${this.#maxQueue} calls are waiting (maxQueue)`),
      )
    return call
  }

  /** Refuses new calls from now on, and resolves when the open ones have been answered. */
  close(): Promise<void> {
    this.#isClosed = true
    if (this.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  remove(call: Call<unknown>): void {
    if (call.older) call.older.newer = call.newer
    else this.#oldest = call.newer
    if (call.newer) call.newer.older = call.older
    else this.#newest = call.older
    call.older = call.newer = undefined
    this.size--
    if (this.#watchers.length > 0) this.#notifyWatchers(call)
    if (this.size === 0) this.#onIdle?.()
  }

  /**
   * Resolves when all calls that are open now have been answered. Returns `undefined` where there
   * are none.
   */
  answered(): Promise<void> | undefined {
    if (this.size === 0) return undefined
    const calls = new Set<Call<unknown>>()
    for (let call = this.#oldest; call; call = call.newer) calls.add(call)
    return new Promise((resolve) => this.#watchers.push({ calls, resolve }))
  }

  #notifyWatchers(answered: Call<unknown>): void {
    this.#watchers = this.#watchers.filter(({ calls, resolve }) => {
      calls.delete(answered)
      if (calls.size === 0) resolve()
      return calls.size > 0
    })
  }

  #add(call: Call<unknown>): void {
    call.older = this.#newest
    if (this.#newest) this.#newest.newer = call
    else this.#oldest = call
    this.#newest = call
    this.size++
    this.#timer ??= setTimeout(this.#expire, this.#timeout).unref()
  }

  #expire = (): void => {
    const now = uptime()
    let call = this.#oldest
    while (call && call.openedAt + this.#timeout <= now) {
      call.abandon?.()
      call.finish(new SessionStoreError('TIMEOUT', `no answer within ${this.#timeout} ms (operationTimeout)`))
      call = this.#oldest
    }
    this.#timer = call
      ? setTimeout(this.#expire, Math.ceil(call.openedAt + this.#timeout - now)).unref()
      : undefined
  }
}
