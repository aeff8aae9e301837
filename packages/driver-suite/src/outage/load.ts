import type { SessionStore } from '@session-stores/core'
import { getCode } from '../common.ts'
import { waitUntil } from './until.ts'
import { User, type Verb } from './user.ts'

/** How many calls begin in a second, even while earlier ones are not answered. */
const RATE = 2000
/** The number of users at the start. More are added while all of them wait for an answer. */
const USERS = 100
/**
 * How many calls in a row must succeed before service counts as back. Then each user has made every
 * kind of call.
 */
const ENOUGH = 1500
/**
 * A call hangs when it is not answered this many milliseconds after its time limit. Both are
 * measured by timers, so a slow machine delays both.
 */
const GRACE = 100

/** A stream of lookups, touches, saves and logouts, and a record of their results. */
export class Load {
  readonly users: User[] = []
  /** The number of failed calls by the code of their error. */
  readonly failed: Record<string, number> = {}
  calls = 0
  /** The longest time that a call took, in milliseconds. */
  longest = 0
  /** The number of calls that were not answered in time. */
  overdue = 0
  /** The number of callbacks for calls that had called back already. */
  surplus = 0
  /** The `performance.now()` at which the last failed call ended; 0 when no call failed. */
  lastFailure = 0
  #store: SessionStore
  #timeout: number
  #idle: User[] = []
  /** The numbers of the open calls, oldest first. */
  #open = new Set<number>()
  #lastFailed = 0
  /** The longest time, in milliseconds, in which no call of one of the verbs succeeded. */
  silence = 0
  #succeededAt: Record<Verb, number>
  #ticker: NodeJS.Timeout

  /** @param timeout The `operationTimeout` of the store, in milliseconds. */
  constructor(store: SessionStore, timeout: number) {
    this.#store = store
    this.#timeout = timeout
    const start = performance.now()
    this.#succeededAt = { lookup: start, touch: start, save: start, logout: start }
    for (let i = 0; i < USERS; i++) this.#idle.push(this.addUser())
    let made = 0
    this.#ticker = setInterval(() => {
      const due = ((performance.now() - start) * RATE) / 1000
      // Calls that are late by more than 50 ms are left out, because a busy machine would only fall
      // further behind.
      for (made = Math.max(made, due - RATE / 20); made < due; made++) this.#call()
    }, 4)
  }

  get failures(): number {
    return Object.values(this.failed).reduce((sum, count) => sum + count, 0)
  }

  /**
   * Waits until many calls in a row, all of which begin after this, have succeeded, and no earlier
   * call is open.
   */
  async works(): Promise<void> {
    const from = this.calls
    await waitUntil('service is back', () => {
      const [oldest = this.calls] = this.#open
      return oldest - Math.max(from, this.#lastFailed) > ENOUGH
    })
  }

  /** Waits until `count` calls have failed, counted from the beginning of the load. */
  fails(count: number): Promise<void> {
    return waitUntil('calls fail', () => this.failures >= count)
  }

  /** Makes no more calls, and waits until all calls are answered. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    await waitUntil('all calls end', () => this.#open.size === 0)
  }

  #call(): void {
    const user = this.takeIdle() ?? this.addUser()
    const verb = user.next
    const number = ++this.calls
    const start = performance.now()
    let isAnswered = false
    this.#open.add(number)
    const count = (): void => {
      if (!isAnswered) this.overdue++
    }
    // The store's timer may be due at the same time, so `setImmediate` lets all due timers run
    // first.
    const timer = setTimeout(setImmediate, this.#timeout + GRACE, count)
    user.call((error) => {
      if (isAnswered) {
        this.surplus++
        return
      }
      isAnswered = true
      clearTimeout(timer)
      this.#open.delete(number)
      this.#idle.push(user)
      const now = performance.now()
      this.longest = Math.max(this.longest, now - start)
      if (error) {
        this.#lastFailed = Math.max(this.#lastFailed, number)
        this.lastFailure = now
        const code = getCode(error)
        this.failed[code] = (this.failed[code] ?? 0) + 1
      } else {
        this.silence = Math.max(this.silence, now - this.#succeededAt[verb])
        this.#succeededAt[verb] = now
      }
    })
  }

  takeIdle(): User | undefined {
    const { length } = this.#idle
    if (length > 0) return this.#idle.splice(Math.floor(Math.random() * length), 1)[0]
  }

  addUser(): User {
    const user = new User(this.#store)
    this.users.push(user)
    return user
  }
}
