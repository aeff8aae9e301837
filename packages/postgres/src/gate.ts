import { timers } from '@session-stores/core'

const { uptime } = timers

/** How long no attempt to connect is made after one that failed. Milliseconds. */
const PAUSE = 200
/** How long an attempt may last before the next call makes another one. Milliseconds. */
const PATIENCE = 1000

/**
 * Keeps calls from asking a dead server for connections. After an attempt to connect failed, calls
 * fail at once during a pause. Then one call tries again, and the others wait for the result of its
 * attempt.
 */
export class Gate {
  #error: unknown
  #nextAttempt = 0
  #isTrying = false
  #waiting: ((error?: unknown) => void)[] = []

  get isShut(): boolean {
    return this.#error !== undefined
  }

  /**
   * Calls back when the caller may try to connect, or with the error of the last attempt where the
   * caller may not.
   */
  pass(callback: (error?: unknown) => void): void {
    const now = uptime()
    if (this.#error === undefined) callback()
    else if (now >= this.#nextAttempt) {
      this.#nextAttempt = now + PATIENCE
      this.#isTrying = true
      callback()
    } else if (this.#isTrying) this.#waiting.push(callback)
    else callback(this.#error)
  }

  /** Must be called after an attempt that failed, with its error. */
  shut(error: unknown): void {
    this.#nextAttempt = uptime() + PAUSE
    this.#end(error)
  }

  /** Must be called after an attempt that succeeded. */
  open(): void {
    this.#end()
  }

  #end(error?: unknown): void {
    this.#error = error
    this.#isTrying = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const callback of waiting) callback(error)
  }
}
