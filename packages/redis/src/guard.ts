import { type Driver, isError, SessionStoreError, timers, UncertainWriteError } from '@session-stores/core'
import { isFault, isReply, toStoreError } from './errors.ts'
import { WAIT_SHARE } from './link.ts'
import type { Scripts } from './scripts.ts'

const { uptime } = timers

type Verb = (...args: unknown[]) => Promise<unknown>

/**
 * Wraps the verbs. A wrapped verb is sent only after its connection was checked, and not after its
 * call was given up. It is sent once more where the connection broke before the answer came. The
 * process stays alive until the answer comes, and errors become those of the store.
 */
export function guardVerbs<T extends Pick<Driver, 'write'>>(verbs: T, scripts: Scripts): T {
  const { link } = scripts
  const onAnswer = (value: unknown): unknown => {
    link.release()
    return value
  }
  const onError = (error: unknown): never => {
    link.release()
    if (isError(error) && isReply(error) && error.message.startsWith('LATE')) link.recheck()
    throw toStoreError(error, link.failure)
  }
  const guardVerb = (verb: Verb, resend: Verb) => {
    const send = (args: unknown[], start: number, isRepeated: boolean): Promise<unknown> => {
      // Scripts may run until the time limit of the call is over, however late they are sent.
      scripts.start = start
      return (isRepeated ? resend : verb)(...args).then(onAnswer, (error) => {
        if (!link.resends || !isBroken(error) || (isRepeated && !isUnsent(error))) return onError(error)
        return waitAndSend(args, start, true)
      })
    }
    const waitAndSend = (args: unknown[], start: number, isRepeated: boolean): Promise<unknown> =>
      link
        .waitUntilUsable(start + scripts.timeLimit * WAIT_SHARE)
        .then(() => send(args, start, isRepeated), onError)
    return (...args: unknown[]): Promise<unknown> => {
      link.hold()
      const start = uptime()
      return link.isUsable ? send(args, start, false) : waitAndSend(args, start, false)
    }
  }
  const resends: Partial<Record<string, Verb>> = { write: writeAgain as Verb }

  /** A write that had landed counts as landed. Whether a refused write had landed is unknown. */
  async function writeAgain(...args: Parameters<Driver['write']>): Promise<string[]> {
    const landed = await verbs.write(...args)
    if (landed.length < args[0].length) throw new UncertainWriteError(landed)
    return landed
  }

  const entries = Object.entries(verbs as Record<string, Verb>)
  return Object.fromEntries(
    entries.map(([name, verb]) => [name, guardVerb(verb, resends[name] ?? verb)]),
  ) as T
}

/** Whether the command was not sent, because the connection was closed already. */
const isUnsent = (error: Error): boolean =>
  /^Stream isn't writeable|^The client is (closed|offline)$/.test(error.message)

/** Whether there is no answer because the connection broke. A fault in the program is no outage. */
function isBroken(error: unknown): error is Error {
  return isError(error) && !isReply(error) && !(error instanceof SessionStoreError) && !isFault(error)
}
