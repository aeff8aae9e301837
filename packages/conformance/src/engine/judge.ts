import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { contextOf } from './context.ts'
import { messageOf } from './message.ts'
import type { Backend, MakeOptions, Rule, RuleInfo, Subject } from './rule.ts'
import { checkBackend, lacks, missing } from './subject.ts'
import { Trace } from './trace.ts'

/**
 * `absent`: the store says that it lacks a method that the rule is about, and it does lack it.
 * `not-run`: nothing is known. `opted-out`: it was not run, for the reason that the store's author gives.
 */
export type Outcome = 'passed' | 'failed' | 'absent' | 'not-run' | 'opted-out'

export interface Result extends RuleInfo {
  outcome: Outcome
  /** What went wrong, or why it was not run. */
  reason?: string
  /** Of a failure: the calls that led to it, as code. */
  trace?: readonly string[]
  /** What went wrong when `dispose` was called; it has no part in the outcome. */
  disposal?: string
  /** It came to no end, and may have left open what is its own. */
  givenUp?: true
  /** How long it took, in milliseconds. */
  took: number
}

type Verdict = Pick<Result, 'outcome' | 'reason' | 'trace'>

/** How long `dispose` is waited for, in milliseconds. */
const DISPOSAL = 5000

/** Checks one rule; it fails when `crash` rejects. Never rejects. */
export async function checked(
  subject: Subject,
  rule: Rule,
  deadline: number,
  crash: Promise<never>,
  called?: (line: string) => void,
): Promise<Result> {
  const { check, methods = [], needs = [], options = {}, mayRefuse, packages = [], ...info } = rule
  const optedOut = subject.optOut?.[rule.id]
  if (optedOut !== undefined) return { ...info, outcome: 'opted-out', reason: optedOut, took: 0 }
  const start = performance.now()
  const trace = new Trace(called)
  const absent = methods.filter((method) => subject.supports?.[method] === false)
  const given = accepted(subject, options)
  let backend: Backend | undefined
  let over = false
  let ended = false

  async function judge(): Promise<Verdict> {
    const lacking = await uninstalled(packages)
    if (lacking) return { outcome: 'not-run', reason: `${lacking} is not installed` }
    if (Object.keys(given).length > 0)
      trace.add(`// stores with ${inspect(given, { breakLength: Infinity, compact: true })}`)
    try {
      backend = await made(subject, given)
    } catch (error) {
      if (mayRefuse && Object.keys(given).length > 0) return { outcome: 'passed' }
      throw error
    }
    // Too late: nobody waits for it, and what it opened is closed all the same.
    if (over) {
      await dispose(backend)
      return { outcome: 'failed' }
    }
    checkBackend(backend)
    if (absent.length > 0) {
      lacks(backend, absent)
      return { outcome: 'absent' }
    }
    const reason = missing(subject, backend, methods, needs)
    if (reason !== undefined) return { outcome: 'not-run', reason }
    await check(contextOf(backend, trace, given.skew))
    return { outcome: 'passed' }
  }
  const failed = (error: unknown): Verdict => ({
    outcome: 'failed',
    reason: messageOf(error),
    trace: [...trace.lines],
  })
  const judged = judge().finally(() => {
    ended = true
  })
  const late = (): string => `${backend ? 'it' : '`make`'} comes to no end within ${deadline} ms`
  let verdict = await within(deadline, Promise.race([judged, crash]), late).catch(failed)
  const givenUp = !ended
  over = true
  const patience = Math.min(deadline, DISPOSAL)
  const disposal = await within(patience, dispose(backend), () => `no end within ${patience} ms`)
    .then(() => undefined)
    .catch(messageOf)
  // What the store left for the next turn of the event loop is thrown now, and is of this rule.
  verdict = await Promise.race([crash, turn(verdict)]).catch(failed)
  const took = Math.round(performance.now() - start)
  return {
    ...info,
    ...verdict,
    ...(disposal !== undefined && { disposal }),
    ...(givenUp && { givenUp }),
    took,
  }
}

/** The first of the packages that is not there. */
async function uninstalled(packages: readonly string[]): Promise<string | undefined> {
  for (const name of packages) {
    try {
      await import(name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
      return name
    }
  }
  return undefined
}

/** Of these options, those that the subject accepts: it is not asked for others. */
function accepted({ accepts = [] }: Subject, options: MakeOptions): MakeOptions {
  const known: readonly string[] = accepts
  return Object.fromEntries(Object.entries(options).filter(([name]) => known.includes(name)))
}

async function made(subject: Subject, options: MakeOptions): Promise<Backend> {
  try {
    return await subject.make(options)
  } catch (error) {
    throw new Error(`\`make\` threw: ${messageOf(error)}`, { cause: error })
  }
}

async function dispose(backend: Backend | undefined): Promise<void> {
  await backend?.dispose?.()
}

async function within<T>(ms: number, work: Promise<T>, reason: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(reason())), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
