import { inspect } from 'node:util'
import type { SessionStoreError } from '@session-stores/core'
import { EXIT, Failure, Interrupted } from './failure.ts'
import { progress, tell } from './output.ts'

/** What a command gets besides its options. */
export interface Run {
  /** Is aborted by SIGINT. */
  readonly signal: AbortSignal
  /** Says what an interruption leaves, and how to go on. The last text counts. */
  ifInterrupted(text: string): void
}

/** How long a command that was interrupted may take to end its step, in milliseconds. */
const GRACE = 2000

/** Runs a command and ends the process with the code that it returns, or with that of its error. */
export async function runCommand(command: (run: Run) => Promise<number>): Promise<never> {
  const interruption = new AbortController()
  let left = ''
  process.on('SIGINT', () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted)
    interruption.abort()
  })
  // `… | head` closes the pipe, which is no fault.
  process.stdout.on('error', () => process.exit(EXIT.done))
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => {
    if (/^SessionStore/.test(name)) tell(`Warning: ${message}`)
  })
  const ended = command({
    signal: interruption.signal,
    ifInterrupted: (text) => {
      left = text
    },
  })
  let code: number
  try {
    code = await Promise.race([ended, rejectAfter(interruption.signal)])
    if (interruption.signal.aborted) throw new Interrupted()
  } catch (error) {
    code = EXIT.interrupted
    if (error instanceof Interrupted || interruption.signal.aborted) tell(`Interrupted. ${left}`.trim())
    else code = tellError(error)
  }
  progress.clear()
  await new Promise((resolve) => process.stdout.write('', resolve))
  process.exit(code)
}

/** Rejects a moment after the signal, so that the command can end the step that it is at. */
function rejectAfter(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => setTimeout(reject, GRACE, new Interrupted()), { once: true })
  })
}

/** Prints the error and returns the exit code. */
function tellError(error: unknown): number {
  tell(`error: ${describeError(error)}`)
  if (process.env.SESSION_STORES_DEBUG) tell(inspect(error))
  return error instanceof Failure ? error.exitCode : EXIT.failed
}

/** Returns an error in words: what failed, and what the client of the database said. */
export function describeError(error: unknown): string {
  if (error instanceof Failure) return error.message
  const message = messageOf(error)
  if (!isStoreError(error)) return message
  const cause = error.cause === undefined ? '' : `: ${messageOf(error.cause)}`
  const advice = ADVICE[error.code] ?? ''
  return `${message}${cause} (${error.code}).${advice}`
}

/** Tells by the name, because core takes a tenth of a second to load. */
const isStoreError = (error: unknown): error is SessionStoreError =>
  error instanceof Error && error.name === 'SessionStoreError'

const ADVICE: Readonly<Record<string, string>> = {
  ACCESS_DENIED: ' The README of the store lists the rights that it needs.',
  TIMEOUT: ' Give it more time with --timeout.',
  INVALID_ID: ' `session-stores list` shows the handles.',
}

/** Returns the first line of a message. A host with several addresses fails with one error for each. */
function messageOf(error: unknown): string {
  const { message, errors, code } = error as { message?: string; errors?: Error[]; code?: string }
  const [line = ''] = (message || errors?.[0]?.message || code || String(error)).split('\n')
  return line
}
