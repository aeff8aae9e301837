/** Waits for conditions on an object, which calls `notify` whenever it has changed. */
export class Watchers {
  readonly #looks = new Set<() => void>()
  #isStopped = false

  /** Checks all conditions that are waited for. */
  notify(): void {
    for (const look of this.#looks) look()
  }

  /** From the next `notify` on, conditions that do not hold are given up. */
  stop(): void {
    this.#isStopped = true
  }

  /**
   * Resolves when the condition holds. Rejects if the condition throws, after `timeout`
   * milliseconds, and after `stop`.
   * @param describe returns the current state for the error message
   */
  until(holds: () => boolean, timeout: number, describe: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: unknown): void => {
        clearTimeout(timer)
        this.#looks.delete(look)
        if (error) reject(error)
        else resolve()
      }
      const look = (): void => {
        try {
          if (holds()) end()
          else if (this.#isStopped) end(new Error('the proxy was stopped'))
        } catch (error) {
          end(error)
        }
      }
      const timer = setTimeout(
        () => end(new Error(`the condition did not hold within ${timeout} ms: ${describe()}`)),
        timeout,
      )
      this.#looks.add(look)
      look()
    })
  }
}
