import { setTimeout as pause } from 'node:timers/promises'

/**
 * Waits until `check` returns, asking again whenever it throws; for what only asking can tell. Rejects with its last
 * error after `timeout` ms, or at once when `hopeless`, given that error, says so.
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
