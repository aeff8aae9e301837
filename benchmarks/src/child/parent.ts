import type { Message, Usage } from './protocol.ts'

/** Sends something to the process that measures this one. */
export function report(message: Message): void {
  process.send!(message)
}

/** What the subject's server has done so far; `null` where there is none. */
export const usage = (): Promise<Usage | null> => ask({ kind: 'usage' })

/** Lets the other subjects have their turn; nothing is to be done until it resolves. */
export async function pass(): Promise<void> {
  await ask({ kind: 'pass' })
}

function ask<T>(message: Message): Promise<T> {
  return new Promise((resolve) => {
    process.once('message', (answer) => resolve(answer as T))
    report(message)
  })
}
