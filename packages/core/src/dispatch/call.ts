import { AsyncResource } from 'node:async_hooks'
import { asStoreError, SessionStoreError } from '../errors.ts'
import type { OpenCalls, Owner } from '../session/order.ts'
import { nextTick, setTimeout, uptime } from './timers.ts'

/** How a store answers: `(null)` or `(null, value)`, else the error alone. */
export type StoreCallback<T = void> = (error: SessionStoreError | null, value?: T) => void

/**
 * One call of the application that waits for its answer. It remembers the caller's async context: many calls
 * share a batch, and a callback must not run in the `AsyncLocalStorage` of whoever else was in it.
 */
export class Call<T> extends AsyncResource implements Owner {
  #calls: Calls
  #callback: StoreCallback<T>
  #error: SessionStoreError | null = null
  #value: T | undefined
  done = false
  release: (() => void) | undefined
  /** Called when the time of the call is up, while something that it sent may still take effect. */
  abandon: (() => void) | undefined
  /** Neighbours in the list of open calls, oldest first. */
  older: Call<unknown> | undefined
  newer: Call<unknown> | undefined
  openedAt: number = uptime()

  constructor(calls: Calls, callback: StoreCallback<T>) {
    super('SessionStoreCall')
    this.#calls = calls
    this.#callback = callback
  }

  /** Answers the caller, asynchronously, and ends the call's turn; every further answer is ignored. */
  finish(error: unknown, value?: T): void {
    if (this.done) return
    this.done = true
    this.#calls.remove(this as Call<unknown>)
    this.#error = error == null ? null : asStoreError(error)
    this.#value = value
    const { release } = this
    if (release !== undefined) {
      this.release = undefined
      release()
    }
    if (answered.push(this as Call<unknown>) === 1) nextTick(deliver)
  }

  /** Hands the answer over. */
  deliver(): void {
    const error = this.#error
    const value = this.#value
    if (error !== null) this.runInAsyncScope(this.#callback, null, error)
    else if (value === undefined) this.runInAsyncScope(this.#callback, null, null)
    else this.runInAsyncScope(this.#callback, null, null, value)
  }
}

/** One tick for all calls of a batch: one for each call costs a fifth of a touch. */
let answered: Call<unknown>[] = []

function deliver(): void {
  const calls = answered
  answered = []
  let next = 0
  try {
    while (next < calls.length) calls[next++]!.deliver()
  } finally {
    // A callback that throws takes nobody else's answer with it.
    if (next < calls.length) {
      answered = [...calls.slice(next), ...answered]
      nextTick(deliver)
    }
  }
}

/**
 * The open calls: at most `maxQueue`, each for at most `timeout` milliseconds. All have the same time to
 * live, so a linked list in order of arrival and one timer serve them all.
 */
export class Calls implements OpenCalls {
  #oldest: Call<unknown> | undefined
  #newest: Call<unknown> | undefined
  #timer: NodeJS.Timeout | undefined
  #timeout: number
  #maxQueue: number
  #onIdle: (() => void) | undefined
  #closed = false
  /** Who waits for calls to be answered, with the calls. */
  #waiting: { calls: Set<Call<unknown>>; resolve: () => void }[] = []
  size = 0

  constructor(timeout: number, maxQueue: number) {
    this.#timeout = timeout
    this.#maxQueue = maxQueue
  }

  /** A new call; one that is refused (closed, overloaded) is finished already. */
  open<T>(callback: StoreCallback<T>): Call<T> {
    const call = new Call(this, callback)
    this.#add(call as Call<unknown>)
    if (this.#closed) call.finish(new SessionStoreError('CLOSED', 'the session store is closed'))
    else if (this.size > this.#maxQueue)
      call.finish(
        new SessionStoreError('OVERLOADED', `more than ${this.#maxQueue} calls are waiting (maxQueue)`),
      )
    return call
  }

  /** Refuses new calls from now on, and fulfils when the open ones are answered. */
  close(): Promise<void> {
    this.#closed = true
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
    if (this.#waiting.length > 0) this.#tell(call)
    if (this.size === 0) this.#onIdle?.()
  }

  answered(): Promise<void> | undefined {
    if (this.size === 0) return undefined
    const calls = new Set<Call<unknown>>()
    for (let call = this.#oldest; call; call = call.newer) calls.add(call)
    return new Promise((resolve) => this.#waiting.push({ calls, resolve }))
  }

  #tell(answered: Call<unknown>): void {
    this.#waiting = this.#waiting.filter(({ calls, resolve }) => {
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
