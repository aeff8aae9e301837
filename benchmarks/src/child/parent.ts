import type { Message, Usage } from './protocol.ts'

/** Sends a message to the process that measures this one. */
export function report(message: Message): void {
  process.send!(message)
}

/** Returns what the subject's server has done so far, or `null` if there is no server. */
export const usage = (): Promise<Usage | null> => ask({ kind: 'usage' })

/**
 * Lets the other subjects have their turn. This process must stay idle until the promise resolves.
 */
export async function pass(): Promise<void> {
  await ask({ kind: 'pass' })
}

/** Lets slots of the Redis Cluster move from now on, or no longer. */
export async function moveSlots(isMoving: boolean): Promise<void> {
  await ask({ kind: 'slots', isMoving })
}

function ask<T>(message: Message): Promise<T> {
  return new Promise((resolve) => {
    process.once('message', (answer) => resolve(answer as T))
    report(message)
  })
}
