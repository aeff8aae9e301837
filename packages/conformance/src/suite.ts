import { checkSubject } from './engine/check-subject.ts'
import type { Result } from './engine/judge.ts'
import type { Rule } from './engine/rule.ts'
import { CONCURRENCY, DEADLINE, run } from './engine/run.ts'
import type { Subject } from './engine/subject.ts'
import { rules } from './rules/index.ts'

/**
 * A store under test, and the test runner. The functions of vitest, node:test, mocha and jest fit.
 */
export interface SuiteOptions extends Subject {
  /** Groups tests, as the test runner does. */
  describe(name: string, body: () => void): unknown
  /** Declares a test, as the test runner does. The timeout is in milliseconds. */
  it(name: string, body: (this: unknown, context?: unknown) => Promise<void>, timeout?: number): unknown
  /**
   * The rules to check.
   * @default all rules
   */
  rules?: readonly Rule[]
  /**
   * Milliseconds after which a rule times out and fails.
   * @default 20_000
   */
  deadline?: number
}

/**
 * Declares one test per rule for an express-session store. A rule that cannot run never passes: its
 * test is skipped with the reason, or fails if the runner does not let a test skip itself.
 * @throws TypeError if the options do not describe a store, or opt out of an unknown rule.
 * @example
 * import { describe, it } from 'node:test'
 * import { suite } from '@session-stores/conformance'
 *
 * suite({ describe, it, make: () => ({ stores: [new MyStore()] }) })
 */
export function suite({
  describe,
  it,
  rules: chosen = rules,
  deadline = DEADLINE,
  ...subject
}: SuiteOptions): void {
  checkSubject(subject, [...rules, ...chosen])
  group(describe, `${subject.name ?? 'the store'} as a session store`, () => {
    for (const rule of chosen) {
      const reason = subject.optOut?.[rule.id]
      const name = `${rule.id}: ${rule.title}${reason === undefined ? '' : ` (opted out: ${reason})`}`
      // A named parameter would make mocha and jest pass a callback and wait for it.
      async function body(this: unknown, ...args: unknown[]): Promise<void> {
        const test = [args[0], this].find(canSkip)
        // The deadline of the rule is longer than mocha's timeout.
        test?.timeout?.(0)
        const [result] = (await run(subject, [rule], { deadline })) as [Result]
        if (result.outcome === 'failed') throw new Error(explainFailure(result))
        if (result.outcome === 'not-run' || result.outcome === 'opted-out') skip(test, result)
      }
      // `dispose` takes time too, and so does a second attempt of the rule.
      it(name, body, 2 * deadline + 1000)
    }
  })
}

/**
 * Groups tests. `node:test` runs the tests of a group one by one where nothing else is said, and
 * most rules wait.
 */
function group(describe: SuiteOptions['describe'], name: string, body: () => void): void {
  const { describe: ofNode } = process.getBuiltinModule('node:test')
  if ((describe as unknown) === ofNode) ofNode(name, { concurrency: CONCURRENCY }, body)
  else describe(name, body)
}

function explainFailure({ reason, why, trace = [] }: Result): string {
  return [reason, '', `Why it matters: ${why}`, '', ...trace].join('\n')
}

/**
 * A test that can skip itself. vitest and node:test pass it to the test, mocha binds it to `this`.
 */
interface Skippable {
  skip(note?: string): void
  /** Only mocha has this method. */
  timeout?(ms: number): unknown
  /** Only mocha has this property. */
  test?: { title: string }
}

const canSkip = (value: unknown): value is Skippable =>
  typeof (value as Partial<Skippable> | undefined)?.skip === 'function'

function skip(test: Skippable | undefined, { outcome, reason }: Result): void {
  const note = outcome === 'opted-out' ? `opted out: ${reason}` : `not run: ${reason}`
  if (!test) throw new Error(`${note}. This runner cannot skip a running test: leave the rule out`)
  // The `skip` of mocha takes no note, so the title shows the reason.
  if (test.test && outcome === 'not-run') test.test.title += ` (${note})`
  test.skip(note)
}
