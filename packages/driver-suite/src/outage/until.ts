import { setTimeout as pause } from 'node:timers/promises'

/** Waits for a condition; rejects when it takes more than a minute. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within a minute`)
    await pause(10)
  }
}
