import { Blame } from './blame.ts'
import { judge, type Result } from './judge.ts'
import type { Rule } from './rule.ts'
import type { Subject } from './subject.ts'

/** How `run` checks rules, and what it reports while it does. */
export interface RunOptions {
  /**
   * How many rules run side by side.
   * @default 16
   */
  concurrency?: number
  /**
   * Milliseconds after which a rule times out and fails.
   * @default 20_000
   */
  deadline?: number
  /** Called when a rule begins for the first time. */
  started?(rule: Rule): void
  /** Called when a rule calls a store, with the call as a line of code. */
  called?(rule: Rule, line: string): void
  /** Called when the outcome of a rule is known, with the number of known outcomes so far. */
  progress?(result: Result, done: number, total: number): void
  /**
   * Called with an uncaught error that no rule reproduces when it runs alone, and with the rule
   * that called the code, if known.
   * @default throws the error again, uncaught
   */
  stray?(error: unknown, rule?: Rule): void
}

/** The default number of rules that run side by side. */
export const CONCURRENCY = 16
/** The default time after which a rule times out, in milliseconds. */
export const DEADLINE = 20_000

/**
 * Checks rules against a store. The promise never rejects because of what the store does.
 * @returns One result per rule, in the order of the rules.
 * @example
 * const results = await run(subject, rules, { concurrency: 4 })
 * const failed = results.filter(({ outcome }) => outcome === 'failed')
 */
export async function run(
  subject: Subject,
  rules: readonly Rule[],
  options: RunOptions = {},
): Promise<Result[]> {
  return new Run(subject, rules, options).execute()
}

/** One call of `run`. */
class Run {
  readonly #subject: Subject
  readonly #rules: readonly Rule[]
  readonly #options: RunOptions
  readonly #concurrency: number
  readonly #results = new Map<Rule, Result>()
  readonly #blame: Blame

  constructor(subject: Subject, rules: readonly Rule[], options: RunOptions) {
    this.#subject = subject
    this.#rules = rules
    this.#options = options
    const { concurrency = CONCURRENCY } = options
    this.#concurrency = concurrency
    this.#blame = new Blame(concurrency === 1 || rules.length === 1)
  }

  async execute(): Promise<Result[]> {
    const { stray = rethrow } = this.#options
    const blame = this.#blame
    blame.start()
    try {
      await this.#runSideBySide()
      blame.alone = true
      await this.#repeatSuspects()
    } finally {
      blame.stop()
    }
    for (const { error, rule } of blame.unexplained) stray(error, rule)
    return this.#rules.map((rule) => this.#results.get(rule)!)
  }

  async #runSideBySide(): Promise<void> {
    const queue = this.#rules.values()
    const work = async (): Promise<void> => {
      for (const rule of queue) {
        this.#options.started?.(rule)
        const result = await this.#attempt(rule)
        if (!this.#blame.postpone(rule, result)) this.#settle(rule, result)
      }
    }
    await Promise.all(Array.from({ length: this.#concurrency }, work))
  }

  /** Runs the suspects of uncaught errors alone, because only that shows which rule is at fault. */
  async #repeatSuspects(): Promise<void> {
    const blame = this.#blame
    for (const rule of blame.callers) this.#settle(rule, await this.#attempt(rule))
    for (const [rule, result] of blame.bystanders) {
      if (blame.callers.has(rule)) continue
      const isCleared = blame.unexplained.length === 0
      this.#settle(rule, result && isCleared ? result : await this.#attempt(rule))
    }
  }

  #attempt(rule: Rule): Promise<Result> {
    const { deadline = DEADLINE, called } = this.#options
    return this.#blame.watch(rule, (crash) =>
      judge(this.#subject, rule, deadline, crash, (line) => called?.(rule, line)),
    )
  }

  #settle(rule: Rule, result: Result): void {
    this.#results.set(rule, result)
    this.#options.progress?.(result, this.#results.size, this.#rules.length)
  }
}

function rethrow(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}
