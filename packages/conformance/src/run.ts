import { AsyncLocalStorage } from 'node:async_hooks'
import { checked, type Result } from './check.ts'
import { messageOf } from './message.ts'
import type { Rule, Subject } from './rule.ts'

export interface RunOptions {
  /** How many rules run side by side; 16 by default. */
  concurrency?: number
  /** Milliseconds after which a rule is given up, and fails; 20,000 by default. */
  deadline?: number
  /** Called when a rule begins. */
  started?(rule: Rule): void
  /** Called when a rule calls a store, with the call as code. */
  called?(rule: Rule, line: string): void
  /** Called when a rule is done. */
  progress?(result: Result, done: number, total: number): void
  /**
   * Called with an error that nobody caught, and that no rule shows by itself; with the rule that called what threw it,
   * where that is known. Left out, it is thrown again.
   */
  stray?(error: unknown, rule?: Rule): void
}

export const CONCURRENCY = 16
/** Milliseconds. */
export const DEADLINE = 20_000

/** Which rule of which run called what is running now. */
const current = new AsyncLocalStorage<{ rule: Rule; of: { over: boolean } }>()

/** The rule that called what is running now; also after it is done. */
export const caller = (): Rule | undefined => current.getStore()?.rule

/** Checks rules against a store; the results are in the order of the rules. It never rejects for what a store does. */
export async function run(
  subject: Subject,
  rules: readonly Rule[],
  options: RunOptions = {},
): Promise<Result[]> {
  const {
    concurrency = CONCURRENCY,
    deadline = DEADLINE,
    started,
    called,
    progress,
    stray = rethrow,
  } = options
  const me = { over: false }
  const results = new Map<Rule, Result>()
  const running = new Set<Rule>()
  /** What nobody caught while several rules ran, and the rules that it may be of. */
  const uncaught: [error: unknown, rule?: Rule][] = []
  const suspects = new Set<Rule>()
  const guilty = new Set<Rule>()
  /** The rule that runs alone, which what nobody catches is of. */
  let single: { rule: Rule; blame(error: unknown): void } | undefined

  function caught(error: unknown): void {
    const { rule, of } = current.getStore() ?? {}
    if (of && of !== me && !of.over) return
    if (single && (!rule || rule === single.rule)) return single.blame(error)
    uncaught.push([error, rule])
    for (const one of running) suspects.add(one)
    if (rule && of === me) suspects.add(rule)
  }
  function done(rule: Rule, result: Result): void {
    results.set(rule, result)
    progress?.(result, results.size, rules.length)
  }
  const check = (rule: Rule, crash?: Promise<never>): Promise<Result> =>
    current.run({ rule, of: me }, () =>
      checked(subject, rule, deadline, crash, (line) => called?.(rule, line)),
    )

  async function beside(rule: Rule): Promise<void> {
    running.add(rule)
    started?.(rule)
    const result = await check(rule)
    running.delete(rule)
    if (!suspects.has(rule)) done(rule, result)
  }
  /** Whose error it was, only a rule that runs by itself shows for certain. True if it was this one's. */
  async function alone(rule: Rule): Promise<boolean> {
    const { promise: crash, reject } = Promise.withResolvers<never>()
    crash.catch(() => {})
    let blamed = false
    single = {
      rule,
      blame(error) {
        blamed = true
        reject(new Error(`an error that nobody can catch: ${messageOf(error)}`))
      },
    }
    const result = await check(rule, crash)
    single = undefined
    done(rule, result)
    return blamed
  }

  process.on('uncaughtException', caught)
  process.on('unhandledRejection', caught)
  try {
    if (concurrency === 1 || rules.length === 1)
      for (const rule of rules) {
        started?.(rule)
        await alone(rule)
      }
    else {
      const queue = rules.values()
      const worker = async (): Promise<void> => {
        for (const rule of queue) await beside(rule)
      }
      await Promise.all(Array.from({ length: concurrency }, worker))
      for (const rule of suspects) if (await alone(rule)) guilty.add(rule)
    }
  } finally {
    me.over = true
    process.off('uncaughtException', caught)
    process.off('unhandledRejection', caught)
  }
  for (const [error, rule] of uncaught) {
    const explained = rule ? guilty.has(rule) : guilty.size > 0
    if (!explained) stray(error, rule)
  }
  return rules.map((rule) => results.get(rule)!)
}

function rethrow(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}
