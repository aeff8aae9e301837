import type { Message, Usage } from './protocol.ts'

/** Sends something to the process that measures this one. */
export function report(message: Message): void {
  process.send!(message)
}

/** What the subject's server has done so far; `null` where there is none. */
export function usage(): Promise<Usage | null> {
  return new Promise((resolve) => {
    process.once('message', (answer) => resolve(answer as Usage | null))
    report({ kind: 'usage' })
  })
}
