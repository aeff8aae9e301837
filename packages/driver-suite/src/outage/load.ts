import type { SessionStore } from '@session-stores/core'
import { until } from './until.ts'
import { codeOf, User, type Verb } from './user.ts'

/** Calls that begin in a second, whatever became of those before. */
const RATE = 2000
/** Users at the start; more come while all of these wait. */
const USERS = 100
/** How many calls in a row must succeed before service counts as back: each user has made some of each kind. */
const ENOUGH = 1500
/** A call that is not answered so long after its time, in milliseconds, hangs. Both are measured by timers, so a slow machine delays both. */
const GRACE = 100

/** A stream of lookups, touches, saves and logouts, and what became of them. */
export class Load {
  readonly users: User[] = []
  /** Failed calls by the code of their error. */
  readonly failed: Record<string, number> = {}
  calls = 0
  /** The longest time that a call took, in milliseconds. */
  longest = 0
  /** Calls that were not answered when their time was over. */
  overdue = 0
  /** Callbacks for a call that had one already. */
  surplus = 0
  /** When the last call ended that failed, as `performance.now()` has it; 0: none. */
  lastFailure = 0
  #store: SessionStore
  #timeout: number
  #idle: User[] = []
  /** Open calls by their numbers, oldest first. */
  #open = new Set<number>()
  #lastFailed = 0
  /** The longest time, in milliseconds, in which no call of some verb succeeded. */
  silence = 0
  #succeededAt: Record<Verb, number>
  #ticker: NodeJS.Timeout

  /** `timeout` is the store's `operationTimeout`. */
  constructor(store: SessionStore, timeout: number) {
    this.#store = store
    this.#timeout = timeout
    const start = performance.now()
    this.#succeededAt = { lookup: start, touch: start, save: start, logout: start }
    for (let i = 0; i < USERS; i++) this.#idle.push(this.#newUser())
    let made = 0
    this.#ticker = setInterval(() => {
      const due = ((performance.now() - start) * RATE) / 1000
      // What a busy machine is late with is not made up for: it would only fall further behind.
      for (made = Math.max(made, due - RATE / 20); made < due; made++) this.#call()
    }, 4)
  }

  get failures(): number {
    return Object.values(this.failed).reduce((sum, count) => sum + count, 0)
  }

  /** Fulfils when many calls in a row, which began after now, have succeeded, and none before them is open. */
  async works(): Promise<void> {
    const from = this.calls
    await until('service is back', () => {
      const [oldest = this.calls] = this.#open
      return oldest - Math.max(from, this.#lastFailed) > ENOUGH
    })
  }

  /** Fulfils when that many calls have failed. */
  fails(count: number): Promise<void> {
    return until('calls fail', () => this.failures >= count)
  }

  /** Fulfils when all calls are answered. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    await until('all calls end', () => this.#open.size === 0)
  }

  #call(): void {
    const user = this.#anybody() ?? this.#newUser()
    const verb = user.next
    const number = ++this.calls
    const start = performance.now()
    let isAnswered = false
    this.#open.add(number)
    const count = (): void => {
      if (!isAnswered) this.overdue++
    }
    // Timers that are due together, the store's among them, run in any order: all of them have run by then.
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
        const code = codeOf(error)
        this.failed[code] = (this.failed[code] ?? 0) + 1
      } else {
        this.silence = Math.max(this.silence, now - this.#succeededAt[verb])
        this.#succeededAt[verb] = now
      }
    })
  }

  #anybody(): User | undefined {
    const { length } = this.#idle
    if (length > 0) return this.#idle.splice(Math.floor(Math.random() * length), 1)[0]
  }

  #newUser(): User {
    const user = new User(this.#store)
    this.users.push(user)
    return user
  }
}
