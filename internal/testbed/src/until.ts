import { setTimeout as pause } from 'node:timers/promises'

/**
 * Calls `check` until it returns, and retries whenever it throws. Rejects with the last error after
 * `timeout` milliseconds, or at once if `hopeless` returns true for an error.
 */
export async function until<T>(
  check: () => Promise<T>,
  timeout: number,
  hopeless?: (error: unknown) => boolean,
): Promise<T> {
  const deadline = performance.now() + timeout
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (hopeless?.(error) || performance.now() > deadline) throw error
    }
    await pause(5)
  }
}
