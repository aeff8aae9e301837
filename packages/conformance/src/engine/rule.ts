import type { Context } from './context.ts'
import type { MakeOptions, Method, Need } from './subject.ts'

/**
 * How much a rule matters.
 *
 * - `must`: express-session, or the documentation of the store, promises it. A store that breaks
 *   the rule harms its users.
 * - `should`: users may expect it of every store.
 * - `info`: a difference between stores that is worth knowing.
 */
export type Level = 'must' | 'should' | 'info'

/** What is known of a rule before it runs. */
export interface RuleInfo {
  /** Identifies the rule in reports and never changes: `ended/touch-does-not-revive` */
  id: string
  /** What holds, in one line: `a touch does not bring back a session that has ended` */
  title: string
  level: Level
  /** How a store that breaks the rule harms its users. */
  why: string
  /** Where the rule comes from: a URL of a standard or documentation, or `owner/repository#123`. */
  source?: string
}

/**
 * Something that must hold for every express-session store. Each rule is checked on its own, on an
 * empty database.
 * @example
 * const rule: Rule = {
 *   id: 'mine/keeps-the-basket',
 *   title: 'the basket is there at the next request',
 *   level: 'must',
 *   why: 'Customers fill it twice.',
 *   async check({ store, session }) {
 *     await store.set('an-id', session({ basket: ['tea'] }))
 *     assert.deepEqual(await store.data('an-id'), { basket: ['tea'] })
 *   },
 * }
 */
export interface Rule extends RuleInfo {
  /**
   * The methods that the rule is about. The rule is `absent` if the store declares that it lacks
   * one of them.
   * @default []
   */
  methods?: readonly Method[]
  /**
   * What the rule needs of `make`. The rule is `not-run` if something is missing.
   * @default []
   */
  needs?: readonly Need[]
  /**
   * How the stores must be made.
   * @default {}
   */
  options?: MakeOptions
  /**
   * Whether the store may refuse these options, so that the rule passes if `make` throws.
   * @default false
   */
  mayRefuse?: boolean
  /**
   * The packages that the rule imports. The rule is `not-run` if one of them is not installed.
   * @default []
   */
  packages?: readonly string[]
  /** Checks the rule: throws or rejects if the store breaks the rule. */
  check(context: Context): Promise<void> | void
}
