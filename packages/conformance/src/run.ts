import { withContext } from './context.ts'
import type { Backend, Method, Need, Rule, RuleInfo, Subject } from './rule.ts'
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
  /** How long it took, in milliseconds. */
  took: number
}

export interface RunOptions {
  /** How many rules run side by side; 16 by default. */
  concurrency?: number
  /** Milliseconds after which a rule is given up, and fails; 20,000 by default. */
  deadline?: number
  /** Called when a rule is done. */
  progress?(result: Result, done: number, total: number): void
}

/** Checks rules against a store; the results are in the order of the rules. It never rejects for what a store does. */
export async function run(
  subject: Subject,
  rules: readonly Rule[],
  options: RunOptions = {},
): Promise<Result[]> {
  const { concurrency = 16, deadline = 20_000, progress } = options
  const results = new Map<string, Result>()
  const running = new Set<Rule>()
  const suspects = new Set<Rule>()
  /** Ends the rule that runs alone, when something is thrown that nobody catches. */
  let crash: ((error: unknown) => void) | undefined
  const crashed = (error: unknown): void => {
    if (crash) crash(error)
    else for (const rule of running) suspects.add(rule)
  }
  async function one(rule: Rule): Promise<void> {
    running.add(rule)
    const result = await checked(subject, rule, deadline)
    running.delete(rule)
    results.set(rule.id, result)
    if (!suspects.has(rule)) progress?.(result, results.size, rules.length)
  }
  process.on('uncaughtException', crashed)
  process.on('unhandledRejection', crashed)
  try {
    const queue = rules.values()
    const worker = async (): Promise<void> => {
      for (const rule of queue) await one(rule)
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    // Whose error it was, only a rule that runs by itself can tell.
    for (const rule of suspects) {
      const alone = new Promise<never>((_, reject) => {
        crash = (error) => reject(new Error(`an error that no callback got: ${messageOf(error)}`))
      })
      const result = await checked(subject, rule, deadline, alone)
      results.set(rule.id, result)
      progress?.(result, results.size, rules.length)
    }
  } finally {
    process.off('uncaughtException', crashed)
    process.off('unhandledRejection', crashed)
  }
  return rules.map(({ id }) => results.get(id)!)
}

async function checked(
  subject: Subject,
  rule: Rule,
  deadline: number,
  alone?: Promise<never>,
): Promise<Result> {
  const { check, methods = [], needs = [], options = {}, ...info } = rule
  const optedOut = subject.optOut?.[rule.id]
  if (optedOut !== undefined) return { ...info, outcome: 'opted-out', reason: optedOut, took: 0 }
  const start = performance.now()
  const trace = new Trace()
  const took = (): number => Math.round(performance.now() - start)
  const absent = methods.filter((method) => subject.supports?.[method] === false)
  try {
    const reason = await within(
      deadline,
      withContext(
        subject,
        options,
        trace,
        (backend) => (absent.length > 0 ? undefined : missing(subject, backend, methods, needs)),
        (context) => (absent.length > 0 ? lacks(context.store.raw, absent) : check(context)),
      ),
      alone,
    )
    if (reason !== undefined) return { ...info, outcome: 'not-run', reason, took: took() }
    return { ...info, outcome: absent.length > 0 ? 'absent' : 'passed', took: took() }
  } catch (error) {
    return { ...info, outcome: 'failed', reason: messageOf(error), trace: trace.lines, took: took() }
  }
}

/** Why the rule cannot run on what `make` returned. */
function missing(
  { accepts = [] }: Subject,
  backend: Backend,
  methods: readonly Method[],
  needs: readonly Need[],
): string | undefined {
  const method = methods.find((name) => typeof backend.stores[0][name] !== 'function')
  if (method) return `the store has no ${method}`
  for (const need of needs) {
    if (need === 'second' && !backend.stores[1]) return '`make` gives no second store'
    if ((need === 'ttl' || need === 'prefixes') && !accepts.includes(need)) {
      return `the subject does not accept \`${need}\``
    }
    if ((need === 'corrupt' || need === 'stop' || need === 'freeze') && !backend[need]) {
      return `\`make\` gives no \`${need}\``
    }
  }
  return undefined
}

function lacks(store: Backend['stores'][0], methods: readonly Method[]): void {
  const there = methods.filter((method) => typeof store[method] === 'function')
  if (there.length > 0) throw new Error(`declared absent, and there: ${there.join(', ')}`)
}

async function within<T>(ms: number, work: Promise<T>, alone?: Promise<never>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race(alone ? [work, late, alone] : [work, late])
  } finally {
    clearTimeout(timer)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
