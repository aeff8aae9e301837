import { setTimeout, uptime } from './timers.ts'

/** Something that waits, and what happens when its time is up. */
export class Wait {
  readonly begunAt: number = uptime()
  readonly onTimeout: () => void
  /** The neighbours in the list of waits, which is ordered by age. */
  older: Wait | undefined = undefined
  newer: Wait | undefined = undefined
  isOver = false

  constructor(onTimeout: () => void) {
    this.onTimeout = onTimeout
  }
}

/**
 * Waits of one length. One timer serves them all, because a timer of its own costs a lone call more
 * than core's other work for it. The timer goes on when the last wait has ended.
 */
export class TimeLimit {
  readonly #timeout: number
  #oldest: Wait | undefined
  #newest: Wait | undefined
  #timer: NodeJS.Timeout | undefined

  /** `timeout` is in milliseconds. */
  constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** Begins a wait. Calls `onTimeout` unless it has ended in time. */
  begin(onTimeout: () => void): Wait {
    const wait = new Wait(onTimeout)
    wait.older = this.#newest
    if (this.#newest) this.#newest.newer = wait
    else this.#oldest = wait
    this.#newest = wait
    this.#timer ??= setTimeout(this.#expire, this.#timeout).unref()
    return wait
  }

  /** Ends a wait. It may have ended already. */
  end(wait: Wait): void {
    if (wait.isOver) return
    wait.isOver = true
    if (wait.older) wait.older.newer = wait.newer
    else this.#oldest = wait.newer
    if (wait.newer) wait.newer.older = wait.older
    else this.#newest = wait.older
    wait.older = wait.newer = undefined
  }

  #expire = (): void => {
    const now = uptime()
    let wait = this.#oldest
    while (wait && wait.begunAt + this.#timeout <= now) {
      this.end(wait)
      wait.onTimeout()
      wait = this.#oldest
    }
    this.#timer = wait
      ? setTimeout(this.#expire, Math.ceil(wait.begunAt + this.#timeout - now)).unref()
      : undefined
  }
}
