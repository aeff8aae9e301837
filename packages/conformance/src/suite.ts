import type { Result } from './engine/judge.ts'
import type { Rule, Subject } from './engine/rule.ts'
import { DEADLINE, run } from './engine/run.ts'
import { checkSubject } from './engine/subject.ts'
import { rules } from './rules/index.ts'

/** What the suite needs of a test runner. Those of vitest, node:test, mocha and jest fit as they are. */
export interface SuiteOptions extends Subject {
  describe(name: string, body: () => void): unknown
  it(name: string, body: (this: unknown, context?: unknown) => Promise<void>, timeout?: number): unknown
  /** All rules by default. */
  rules?: readonly Rule[]
  /** Milliseconds after which a rule is given up, and fails; 20,000 by default. */
  deadline?: number
}

/**
 * Makes a test of each rule for any express-session store. A rule that could not run is skipped with its reason where
 * the runner lets a test skip itself, and fails where it does not: it never passes.
 */
export function suite({
  describe,
  it,
  rules: chosen = rules,
  deadline = DEADLINE,
  ...subject
}: SuiteOptions): void {
  checkSubject(subject, [...rules, ...chosen])
  describe(`${subject.name ?? 'the store'} as a session store`, () => {
    for (const rule of chosen) {
      const reason = subject.optOut?.[rule.id]
      const name = `${rule.id}: ${rule.title}${reason === undefined ? '' : ` (opted out: ${reason})`}`
      // One parameter more, and mocha and jest would wait for its call.
      async function body(this: unknown, ...args: unknown[]): Promise<void> {
        const test = [args[0], this].find(skips)
        // The rule has a deadline of its own, longer than mocha's.
        test?.timeout?.(0)
        const [result] = (await run(subject, [rule], { deadline })) as [Result]
        if (result.outcome === 'failed') throw new Error(explain(result))
        if (result.outcome === 'not-run' || result.outcome === 'opted-out') skip(test, result)
      }
      // `dispose` has its time too.
      it(name, body, 2 * deadline + 1000)
    }
  })
}

function explain({ reason, why, trace = [] }: Result): string {
  return [reason, '', `Why it matters: ${why}`, '', ...trace].join('\n')
}

/** vitest and node:test give a test its context, mocha binds it to `this`. */
interface Skips {
  skip(note?: string): void
  /** mocha's. */
  timeout?(ms: number): unknown
  test?: { title: string }
}

const skips = (value: unknown): value is Skips =>
  typeof (value as Partial<Skips> | undefined)?.skip === 'function'

function skip(test: Skips | undefined, { outcome, reason }: Result): void {
  const note = outcome === 'opted-out' ? `opted out: ${reason}` : `not run: ${reason}`
  if (!test) throw new Error(`${note}. This runner cannot skip a test that runs: leave the rule out`)
  // mocha takes no note.
  if (test.test && outcome === 'not-run') test.test.title += ` (${note})`
  test.skip(note)
}
