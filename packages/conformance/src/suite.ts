import type { Rule, Subject } from './rule.ts'
import { rules } from './rules.ts'
import { type Result, run } from './run.ts'

/** What the suite needs of a test runner. Those of vitest, node:test, mocha and jest fit as they are. */
export interface SuiteOptions extends Subject {
  describe(name: string, body: () => void): unknown
  it(name: string, body: (this: unknown, context?: unknown) => Promise<void>): unknown
  /** All rules by default. */
  rules?: readonly Rule[]
}

/**
 * Makes a test of each rule for any express-session store. A rule that could not run is skipped with its reason where
 * the runner lets a test skip itself, and fails where it does not: it never passes.
 */
export function suite({ describe, it, rules: chosen = rules, ...subject }: SuiteOptions): void {
  const unknown = Object.keys(subject.optOut ?? {}).filter((id) => !rules.some((rule) => rule.id === id))
  if (unknown.length > 0) throw new TypeError(`optOut names no rule: ${unknown.join(', ')}`)
  describe(`${subject.name ?? 'the store'} as a session store`, () => {
    for (const rule of chosen)
      it(`${rule.id}: ${rule.title}`, async function (this: unknown, ...args: unknown[]) {
        const [result] = (await run(subject, [rule])) as [Result]
        if (result.outcome === 'failed') throw new Error(explain(result))
        if (result.outcome === 'not-run' || result.outcome === 'opted-out') skip(this, args[0], result)
      } as (context?: unknown) => Promise<void>)
  })
}

function explain({ reason, why, trace = [] }: Result): string {
  return [`${reason}`, '', `Why it matters: ${why}`, '', ...trace].join('\n')
}

/** vitest and node:test give a test its context, mocha binds it to `this`. */
function skip(bound: unknown, given: unknown, { outcome, reason }: Result): void {
  const context = [given, bound].find(
    (one): one is { skip(note?: string): void } =>
      typeof (one as { skip?: unknown } | undefined)?.skip === 'function',
  )
  const note = outcome === 'opted-out' ? `opted out: ${reason}` : `not run: ${reason}`
  if (!context) throw new Error(`${note}. This runner cannot skip a test that runs: opt out of the rule`)
  context.skip(note)
}
