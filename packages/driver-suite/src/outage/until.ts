import { setTimeout as pause } from 'node:timers/promises'

/**
 * Waits until `holds` returns `true`.
 *
 * @param what Names the condition in the error message.
 * @throws Error when this takes more than a minute.
 */
export async function waitUntil(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within a minute`)
    await pause(10)
  }
}
