import { type Awaitable, SessionStoreError, timers } from '@session-stores/core'
import { explained, isLocked } from './errors.ts'

const { setImmediate, setTimeout, uptime } = timers

/** So many tries follow each other in turns of the event loop: most locks are held for a fraction of a millisecond. */
const QUICK_TRIES = 2
/** In milliseconds. A try that took longer was itself a wait inside of SQLite, and is not repeated at once. */
const QUICK = 1
/** In milliseconds. At random, so that processes that wait for each other do not meet again. */
const [SHORTEST_PAUSE, LONGEST_PAUSE] = [1, 5]
/** How much the longest pause grows with each try, in milliseconds: a lock that others pass on is free soon. */
const GROWTH = 1 / 8
/** A pause is so many times as long as the try before it: so the process stands still for a ninth at most. */
const PAUSE_PER_TRY = 8
/** In milliseconds. Work that waited for a lock gives way to the event loop after so long. */
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
 * Work on the database that needs the same lock, in order. While the lock is held by another, only the first of it
 * tries, and the event loop goes on between two tries; once it gets in, the others follow.
 */
export class Lane {
  /** How long work waits for a lock in all, in milliseconds. */
  longestWait = 4000
  #waiting: Waiting[] = []
  #tries = 0
  #isScheduled = false

  /**
   * Does the work at once if no lock is in its way, else gives a promise of it. `since`, by `uptime()`, is
   * when a call of several steps began: they wait no longer together than one.
   */
  attempt<T>(work: () => T, since?: number): Awaitable<T> {
    if (this.#waiting.length === 0) {
      try {
        return work()
      } catch (error) {
        if (!isLocked(error)) throw explained(error)
      }
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(new Waiting(work, since ?? uptime(), resolve, reject))
      if (this.#isScheduled) return
      this.#tries = 0
      this.#takeNextTurn()
    })
  }

  /** Rejects all that waits; none of it is done any more. */
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
        reject(explained(error))
      }
      this.#waiting.shift()
      this.#tries = 0
      now = uptime()
      if (now - start < LONGEST_SLICE) continue
      if (this.#waiting.length > 0) this.#takeNextTurn()
      return
    }
  }

  /** What waited for too long must not be tried once more: whoever asked may have been told so by a timer of core. */
  #dropExpired(now: number): void {
    const { longestWait } = this
    const isOver = ({ since }: Waiting) => since + longestWait <= now
    if (!this.#waiting.some(isOver)) return
    const over = this.#waiting.filter(isOver)
    this.#waiting = this.#waiting.filter((waiting) => !isOver(waiting))
    const error = new SessionStoreError(
      'UNAVAILABLE',
      `the SQLite database stayed locked for ${longestWait} ms`,
    )
    for (const { reject } of over) reject(error)
  }

  /** `lastTry` in milliseconds. */
  #pause(lastTry: number): void {
    if (++this.#tries <= QUICK_TRIES && lastTry < QUICK) return this.#takeNextTurn()
    this.#isScheduled = true
    const range = Math.min(LONGEST_PAUSE - SHORTEST_PAUSE, this.#tries * GROWTH)
    const pause = SHORTEST_PAUSE + Math.random() * range
    const left = this.#waiting[0]!.since + this.longestWait - uptime()
    setTimeout(this.#takeTurn, Math.min(Math.max(pause, PAUSE_PER_TRY * lastTry), Math.ceil(left)))
  }
}
