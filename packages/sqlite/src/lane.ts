import { type Awaitable, SessionStoreError, timers } from '@session-stores/core'
import { isLocked, toStoreError } from './errors.ts'

const { setImmediate, setTimeout, uptime } = timers

/**
 * How many tries follow each other in turns of the event loop, because most locks are held for a
 * fraction of a millisecond.
 */
const QUICK_TRIES = 2
/** A try that took longer waited inside of SQLite, and is not repeated at once. In milliseconds. */
const QUICK = 1
/**
 * Pauses are random, so that processes that wait for each other do not meet again. In milliseconds.
 */
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [1, 5]
/**
 * How much the longest pause grows with each try, in milliseconds. A lock that other processes pass
 * on to each other is free soon.
 */
const GROWTH = 1 / 8
/**
 * How many times as long as the try before it a pause is, so that tries stop the process for a
 * ninth of the time at most.
 */
const PAUSE_PER_TRY = 8
/** How long work that waited for a lock may run in one turn of the event loop, in milliseconds. */
const LONGEST_SLICE = 5

/** Work that waits for a lock. */
class Waiting {
  readonly work: () => unknown
  readonly since: number
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void

  constructor(
    work: () => unknown,
    since: number,
    resolve: (value: never) => void,
    reject: (error: unknown) => void,
  ) {
    this.work = work
    this.since = since
    this.resolve = resolve
    this.reject = reject
  }
}

/**
 * A queue of work that needs the same lock. While somebody else holds the lock, only the first of
 * the queue tries, and the event loop goes on between two tries. Once the first one gets in, the
 * others follow in their order.
 */
export class Lane {
  /** How long work waits for a lock in all, in milliseconds. */
  longestWait = 4000
  #waiting: Waiting[] = []
  #tries = 0
  #isScheduled = false

  /**
   * Does the work at once and returns its result, or a promise of it where a lock is in the way.
   *
   * @param since when a call of several steps began, as `uptime()` has it: all of its steps
   * together wait no longer than one call
   */
  attempt<T>(work: () => T, since?: number): Awaitable<T> {
    if (this.#waiting.length === 0) {
      try {
        return work()
      } catch (error) {
        if (!isLocked(error)) throw toStoreError(error)
      }
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(new Waiting(work, since ?? uptime(), resolve, reject))
      if (this.#isScheduled) return
      this.#tries = 0
      this.#takeNextTurn()
    })
  }

  /** Rejects all work that waits. None of it is done later. */
  giveUp(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  #takeNextTurn(): void {
    this.#isScheduled = true
    setImmediate(this.#takeTurn)
  }

  #takeTurn = (): void => {
    this.#isScheduled = false
    const start = uptime()
    this.#dropExpired(start)
    for (let now = start; this.#waiting.length > 0; ) {
      const { work, resolve, reject } = this.#waiting[0]!
      try {
        resolve(work() as never)
      } catch (error) {
        if (isLocked(error)) return this.#pause(uptime() - now)
        reject(toStoreError(error))
      }
      this.#waiting.shift()
      this.#tries = 0
      now = uptime()
      if (now - start < LONGEST_SLICE) continue
      if (this.#waiting.length > 0) this.#takeNextTurn()
      return
    }
  }

  /** Rejects work that waited too long, because core may have rejected its call already. */
  #dropExpired(now: number): void {
    const { longestWait } = this
    const isExpired = ({ since }: Waiting) => since + longestWait <= now
    if (!this.#waiting.some(isExpired)) return
    const expired = this.#waiting.filter(isExpired)
    this.#waiting = this.#waiting.filter((waiting) => !isExpired(waiting))
    const error = new SessionStoreError(
      'UNAVAILABLE',
      `the SQLite database stayed locked for ${longestWait} ms`,
    )
    for (const { reject } of expired) reject(error)
  }

  /** @param lastTry how long the last try took, in milliseconds */
  #pause(lastTry: number): void {
    if (++this.#tries <= QUICK_TRIES && lastTry < QUICK) return this.#takeNextTurn()
    this.#isScheduled = true
    const range = Math.min(LONGEST_PAUSE - SHORTEST_PAUSE, this.#tries * GROWTH)
    const pause = SHORTEST_PAUSE + Math.random() * range
    const left = this.#waiting[0]!.since + this.longestWait - uptime()
    setTimeout(this.#takeTurn, Math.min(Math.max(pause, PAUSE_PER_TRY * lastTry), Math.ceil(left)))
  }
}
