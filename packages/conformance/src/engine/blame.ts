import { AsyncLocalStorage } from 'node:async_hooks'
import type { Result } from './judge.ts'
import { toMessage } from './message.ts'
import type { Rule } from './rule.ts'

/** An error that no code caught, and the rule that called the code, if known. */
interface Uncaught {
  error: unknown
  rule: Rule | undefined
}

/** The rule that called the running code, and the run that the rule belongs to. */
const current = new AsyncLocalStorage<{ rule: Rule; blame: Blame }>()

/** Returns the rule that called the running code, even if the rule is done already. */
export const findCaller = (): Rule | undefined => current.getStore()?.rule

/**
 * Traces the uncaught errors of one run to the rules that cause them. While several rules run side
 * by side an error may belong to any of them, so the suspects must run again, one at a time.
 */
export class Blame {
  /** Whether only one rule runs at a time, so that an uncaught error belongs to this rule. */
  alone: boolean
  /** Whether the run has ended. Later errors of its rules then go to the runs that are left. */
  over = false
  /** The functions that make the running rules fail. */
  readonly #running = new Map<Rule, (error: unknown) => void>()
  readonly #uncaught: Uncaught[] = []
  readonly #callers = new Set<Rule>()
  readonly #bystanders = new Map<Rule, Result | undefined>()
  readonly #guilty = new Set<Rule>()

  constructor(alone: boolean) {
    this.alone = alone
  }

  /** The rules that called the code which threw. The set may grow while such a rule runs again. */
  get callers(): ReadonlySet<Rule> {
    return this.#callers
  }

  /** The rules that ran when an error was thrown, those that failed first. */
  get bystanders(): readonly (readonly [rule: Rule, result: Result | undefined])[] {
    const rank = (result: Result | undefined): number => Number(result?.outcome === 'failed')
    return [...this.#bystanders].sort(([, one], [, other]) => rank(other) - rank(one))
  }

  /** The errors that no rule has reproduced so far. */
  get unexplained(): readonly Uncaught[] {
    return this.#uncaught.filter(({ rule }) => (rule ? !this.#guilty.has(rule) : this.#guilty.size === 0))
  }

  /**
   * Runs `check` of the rule. Its promise `crash` rejects when an uncaught error belongs to the
   * rule.
   */
  async watch(rule: Rule, check: (crash: Promise<never>) => Promise<Result>): Promise<Result> {
    const { promise: crash, reject } = Promise.withResolvers<never>()
    crash.catch(() => {})
    this.#running.set(rule, (error) => {
      if (this.alone) this.#guilty.add(rule)
      reject(new Error(`an uncaught error: ${toMessage(error)}`))
    })
    const result = await current.run({ rule, blame: this }, () => check(crash))
    this.#running.delete(rule)
    return result
  }

  /** Keeps the result of a bystander for later. Returns `false` if the rule is no bystander. */
  postpone(rule: Rule, result: Result): boolean {
    if (!this.#bystanders.has(rule)) return false
    this.#bystanders.set(rule, result)
    return true
  }

  /** Listens to the uncaught errors of the process. */
  start(): void {
    process.on('uncaughtException', this.#accuse)
    process.on('unhandledRejection', this.#accuse)
  }

  stop(): void {
    this.over = true
    process.off('uncaughtException', this.#accuse)
    process.off('unhandledRejection', this.#accuse)
  }

  readonly #accuse = (error: unknown): void => {
    const { rule, blame } = current.getStore() ?? {}
    if (blame && blame !== this && !blame.over) return
    const accused = rule ?? (this.alone ? this.#running.keys().next().value : undefined)
    const crash = accused && this.#running.get(accused)
    crash?.(error)
    if (this.alone && crash) return
    this.#uncaught.push({ error, rule })
    if (rule && blame === this) this.#callers.add(rule)
    for (const bystander of this.#running.keys()) this.#bystanders.set(bystander, undefined)
  }
}
