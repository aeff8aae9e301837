import { setImmediate as nextTurn } from 'node:timers/promises'
import { inspect } from 'node:util'
import { checkAbsent, checkBackend, explainMissing } from './check-subject.ts'
import { createContext } from './context.ts'
import { toMessage } from './message.ts'
import type { Rule, RuleInfo } from './rule.ts'
import type { Backend, MakeOptions, Subject } from './subject.ts'
import { Trace } from './trace.ts'

/**
 * What became of a rule.
 *
 * - `passed`: the rule holds.
 * - `failed`: the store breaks the rule.
 * - `absent`: the store declares that it lacks a method that the rule is about, and does lack it.
 * - `not-run`: the rule could not be checked, so nothing is known.
 * - `opted-out`: the rule was not checked, for the reason that the author of the store gives.
 */
export type Outcome = 'passed' | 'failed' | 'absent' | 'not-run' | 'opted-out'

/** What became of one rule on one store. */
export interface Result extends RuleInfo {
  outcome: Outcome
  /** What went wrong, or why the rule was not run. */
  reason?: string
  /** The calls that led to a failure, as lines of code. */
  trace?: readonly string[]
  /** The error of `dispose`, if it failed. This error does not change the outcome. */
  disposal?: string
  /** Set if the rule timed out. Such a rule may have left its own resources open. */
  givenUp?: true
  /** How long the rule took, in milliseconds. */
  took: number
}

type Verdict = Pick<Result, 'outcome' | 'reason' | 'trace'>

/** How long the suite waits for `dispose` at most, in milliseconds. */
const DISPOSE_TIMEOUT = 5000

/**
 * Checks one rule. Never rejects.
 * @param deadline Milliseconds after which the rule times out.
 * @param crash Rejects when the rule has caused an uncaught error; the rule then fails.
 * @param called Called with each call of a store, as a line of code, before the call is made.
 */
export async function judge(
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
  const accepted = pickAccepted(subject, options)
  const hasOptions = Object.keys(accepted).length > 0
  let backend: Backend | undefined
  let over = false
  let ended = false

  async function runCheck(): Promise<Verdict> {
    const uninstalled = await findUninstalled(packages)
    if (uninstalled) return { outcome: 'not-run', reason: `${uninstalled} is not installed` }
    if (hasOptions) trace.add(`// stores with ${inspect(accepted, { breakLength: Infinity, compact: true })}`)
    try {
      backend = await makeBackend(subject, accepted)
    } catch (error) {
      if (mayRefuse && hasOptions) return { outcome: 'passed' }
      throw error
    }
    // The rule has timed out while `make` ran: its stores must be closed, and the verdict is
    // unused.
    if (over) {
      await dispose(backend)
      return { outcome: 'failed' }
    }
    checkBackend(backend)
    if (absent.length > 0) {
      checkAbsent(backend, absent)
      return { outcome: 'absent' }
    }
    const reason = explainMissing(subject, backend, methods, needs)
    if (reason !== undefined) return { outcome: 'not-run', reason }
    await check(createContext(backend, trace, accepted.skew))
    return { outcome: 'passed' }
  }
  const toFailure = (error: unknown): Verdict => ({
    outcome: 'failed',
    reason: toMessage(error),
    trace: [...trace.lines],
  })
  const checking = runCheck().finally(() => {
    ended = true
  })
  const explainTimeout = (): string => `${backend ? '' : '`make` '}timed out after ${deadline} ms`
  let verdict = await withTimeout(deadline, Promise.race([checking, crash]), explainTimeout).catch(toFailure)
  const givenUp = !ended
  over = true
  const patience = Math.min(deadline, DISPOSE_TIMEOUT)
  const disposal = await withTimeout(patience, dispose(backend), () => `timed out after ${patience} ms`)
    .then(() => undefined)
    .catch(toMessage)
  // An error that the store throws in the next turn of the event loop belongs to this rule.
  verdict = await Promise.race([crash, nextTurn(verdict)]).catch(toFailure)
  const took = Math.round(performance.now() - start)
  return {
    ...info,
    ...verdict,
    ...(disposal !== undefined && { disposal }),
    ...(givenUp && { givenUp }),
    took,
  }
}

/**
 * Makes the stores once, without options, and disposes of them. Where that fails, every rule would.
 * @param deadline Milliseconds that `make` may take.
 * @throws Error that says why no store can be checked.
 */
export async function tryMake(subject: Subject, deadline: number): Promise<void> {
  const making = makeBackend(subject, {})
  const backend = await withTimeout(deadline, making, () => `\`make\` timed out after ${deadline} ms`)
  try {
    checkBackend(backend)
  } finally {
    const patience = Math.min(deadline, DISPOSE_TIMEOUT)
    // Each rule reports a `dispose` that fails.
    await withTimeout(patience, dispose(backend), () => '').catch(() => {})
  }
}

/** Returns the first of these packages that is not installed. */
async function findUninstalled(packages: readonly string[]): Promise<string | undefined> {
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

/** Returns the options that the subject accepts. Other options must not reach `make`. */
function pickAccepted({ accepts = [] }: Subject, options: MakeOptions): MakeOptions {
  const known: readonly string[] = accepts
  return Object.fromEntries(Object.entries(options).filter(([name]) => known.includes(name)))
}

async function makeBackend(subject: Subject, options: MakeOptions): Promise<Backend> {
  try {
    return await subject.make(options)
  } catch (error) {
    throw new Error(`\`make\` threw: ${toMessage(error)}`, { cause: error })
  }
}

async function dispose(backend: Backend | undefined): Promise<void> {
  await backend?.dispose?.()
}

async function withTimeout<T>(ms: number, work: Promise<T>, explain: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(explain())), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
