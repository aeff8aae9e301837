import { AsyncLocalStorage } from 'node:async_hooks'
import { checked, type Result } from './judge.ts'
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
  let alone = concurrency === 1 || rules.length === 1
  /** How a rule that runs is told of an error that it did not catch. */
  const running = new Map<Rule, (error: unknown) => void>()
  const uncaught: { error: unknown; rule: Rule | undefined }[] = []
  /** Rules that called what threw; and those that ran beside it, with what became of them. */
  const named = new Set<Rule>()
  const bystanders = new Map<Rule, Result | undefined>()
  const guilty = new Set<Rule>()

  function caught(error: unknown): void {
    const { rule, of } = current.getStore() ?? {}
    if (of && of !== me && !of.over) return
    const accused = rule ?? (alone ? running.keys().next().value : undefined)
    const blame = accused && running.get(accused)
    blame?.(error)
    if (alone && blame) return
    uncaught.push({ error, rule })
    if (rule && of === me) named.add(rule)
    for (const one of running.keys()) bystanders.set(one, undefined)
  }
  async function attempt(rule: Rule): Promise<Result> {
    const { promise: crash, reject } = Promise.withResolvers<never>()
    crash.catch(() => {})
    running.set(rule, (error) => {
      if (alone) guilty.add(rule)
      reject(new Error(`an error that nobody can catch: ${messageOf(error)}`))
    })
    const result = await current.run({ rule, of: me }, () =>
      checked(subject, rule, deadline, crash, (line) => called?.(rule, line)),
    )
    running.delete(rule)
    return result
  }
  function done(rule: Rule, result: Result): void {
    results.set(rule, result)
    progress?.(result, results.size, rules.length)
  }
  /** Errors that no rule has shown by itself so far. */
  const unexplained = (): typeof uncaught =>
    uncaught.filter(({ rule }) => (rule ? !guilty.has(rule) : guilty.size === 0))

  process.on('uncaughtException', caught)
  process.on('unhandledRejection', caught)
  try {
    const queue = rules.values()
    const worker = async (): Promise<void> => {
      for (const rule of queue) {
        started?.(rule)
        const result = await attempt(rule)
        if (bystanders.has(rule)) bystanders.set(rule, result)
        else done(rule, result)
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    // Whose error it was, only a rule that runs by itself shows for certain.
    alone = true
    for (const rule of named) done(rule, await attempt(rule))
    // The likelier first: once all is explained, what became of the others holds.
    const likelier = [...bystanders].sort(([, one], [, other]) => suspicion(other) - suspicion(one))
    for (const [rule, result] of likelier) {
      if (named.has(rule)) continue
      done(rule, result && unexplained().length === 0 ? result : await attempt(rule))
    }
  } finally {
    me.over = true
    process.off('uncaughtException', caught)
    process.off('unhandledRejection', caught)
  }
  for (const { error, rule } of unexplained()) stray(error, rule)
  return rules.map((rule) => results.get(rule)!)
}

const suspicion = (result: Result | undefined): number => Number(result?.outcome === 'failed')

function rethrow(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}
