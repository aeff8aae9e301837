import { setTimeout as pause } from 'node:timers/promises'

/**
 * Waits until `check` returns, asking again whenever it throws; for what only asking can tell. Rejects with its last
 * error after `timeout` ms, or at once when `hopeless` returns an error.
 */
export async function until<T>(
  check: () => Promise<T>,
  timeout: number,
  hopeless?: () => Error | undefined,
): Promise<T> {
  const deadline = performance.now() + timeout
  for (;;) {
    try {
      return await check()
    } catch (error) {
      const reason = hopeless?.()
      if (reason) throw reason
      if (performance.now() > deadline) throw error
    }
    await pause(5)
  }
}
