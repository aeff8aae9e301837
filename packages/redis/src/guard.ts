import { type Driver, isError, SessionStoreError, timers, UncertainWriteError } from '@session-stores/core'
import type { Run } from './client.ts'
import { explained, isFault, isReply } from './errors.ts'
import { WAIT_SHARE } from './link.ts'

const { uptime } = timers

type Verb = (...args: unknown[]) => Promise<unknown>

/**
 * The verbs, with errors explained, and with the process held while one waits for its answer. None is sent before its
 * connection was checked, or after it was given up; one that a connection broke without an answer is sent once more.
 */
export function guarded<T extends Pick<Driver, 'write'>>(verbs: T, run: Run): T {
  const { link } = run
  const answered = (value: unknown): unknown => {
    link.release()
    return value
  }
  const refused = (error: unknown): never => {
    link.release()
    if (isError(error) && isReply(error) && error.message.startsWith('LATE')) link.forget()
    throw explained(error, link.failure)
  }
  const guard = (verb: Verb, repeat: Verb) => {
    const send = (args: unknown[], until: number, repeated: boolean): Promise<unknown> =>
      (repeated ? repeat : verb)(...args).then(answered, (error) => {
        if (!link.repeats || !isBroken(error) || (repeated && !isUnsent(error))) return refused(error)
        return link.whenUsable(until).then(() => sendNow(args, until, true), refused)
      })
    const sendNow = (args: unknown[], until: number, repeated: boolean): Promise<unknown> => {
      run.start = uptime()
      return send(args, until, repeated)
    }
    return (...args: unknown[]): Promise<unknown> => {
      link.hold()
      run.start = uptime()
      const until = run.start + run.timeLimit * WAIT_SHARE
      if (link.isUsable) return send(args, until, false)
      return link.whenUsable(until).then(() => sendNow(args, until, false), refused)
    }
  }
  const repeats: Partial<Record<string, Verb>> = { write: writeAgain as Verb }

  /** A write that has landed before counts as landed; of one that is refused nobody knows. */
  async function writeAgain(...args: Parameters<Driver['write']>): Promise<string[]> {
    const landed = await verbs.write(...args)
    if (landed.length < args[0].length) throw new UncertainWriteError(landed)
    return landed
  }

  const entries = Object.entries(verbs as Record<string, Verb>)
  return Object.fromEntries(entries.map(([name, verb]) => [name, guard(verb, repeats[name] ?? verb)])) as T
}

/** Whether the connection was closed already. */
const isUnsent = (error: Error): boolean => error.message.startsWith("Stream isn't writeable")

/** Whether there is no answer because the connection broke. A fault in the program is no outage. */
function isBroken(error: unknown): error is Error {
  return isError(error) && !isReply(error) && !(error instanceof SessionStoreError) && !isFault(error)
}
