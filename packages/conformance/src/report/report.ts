import type { Outcome, Result } from '../engine/judge.ts'
import type { Level } from '../engine/rule.ts'

/** What is known of a store after a run: what `--json` prints, and what the other reports are made of. */
export interface Report {
  /** Of this form. */
  format: 1
  store: string
  /** Of what was tested, and of the suite: `{ 'connect-redis': '10.0.0', '@session-stores/conformance': '1.0.0' }` */
  versions: Readonly<Record<string, string>>
  /** When the run ended, as ISO 8601 in UTC. */
  date: string
  /** `v24.21.0` */
  node: string
  /** One for each rule that was chosen, in the order of the rules. */
  results: readonly Result[]
  /** What was open after the last `dispose` and not before the first `make`, by its name in Node, with its number. */
  leaks: Readonly<Record<string, number>>
  /** Errors that nobody caught and that no rule shows by itself. */
  stray: readonly string[]
}

export type Counts = Record<Outcome, number> & { rules: number }

export function count(results: readonly Result[]): Counts {
  const counts = { rules: results.length, passed: 0, failed: 0, absent: 0, 'not-run': 0, 'opted-out': 0 }
  for (const { outcome } of results) counts[outcome]++
  return counts
}

/** The results by the first part of their rules' ids, in the order of the rules. */
export function groups(results: readonly Result[]): [group: string, results: Result[]][] {
  return [...Map.groupBy(results, ({ id }) => id.split('/', 1)[0]!)]
}

/** The rules that the store breaks: those of a level, or all of them. */
export function broken(results: readonly Result[], level?: Level): Result[] {
  return results.filter((result) => result.outcome === 'failed' && (!level || result.level === level))
}

/** Nothing that must hold is broken, and nothing went wrong beside the rules. */
export function holds({ results, stray }: Report): boolean {
  return broken(results, 'must').length === 0 && stray.length === 0
}

/** The totals in a line: `117 rules: 112 passed, 1 failed (1 must), 4 not run` */
export function summary(results: readonly Result[]): string {
  const counts = count(results)
  const levels = (['must', 'should', 'info'] as const)
    .map((level) => [broken(results, level).length, level] as const)
    .filter(([failed]) => failed > 0)
    .map(([failed, level]) => `${failed} ${level}`)
  const parts = OUTCOMES.filter(([outcome]) => counts[outcome] > 0).map(
    ([outcome, name]) => `${counts[outcome]} ${name}${outcome === 'failed' ? ` (${levels.join(', ')})` : ''}`,
  )
  return `${counts.rules} ${counts.rules === 1 ? 'rule' : 'rules'}: ${parts.join(', ')}`
}

/** The outcomes as reports name them, in their order. */
export const OUTCOMES: readonly (readonly [Outcome, string])[] = [
  ['passed', 'passed'],
  ['failed', 'failed'],
  ['absent', 'absent'],
  ['not-run', 'not run'],
  ['opted-out', 'opted out'],
]

/** What went wrong beside the rules, a line each. */
export function beside({ results, leaks, stray }: Report): string[] {
  const disposals = new Set(results.flatMap(({ disposal }) => disposal ?? []))
  const open = Object.entries(leaks).map(([name, number]) => `${name} ×${number}`)
  const doubt = results.some(({ givenUp }) => givenUp)
    ? ' (some of it may be of the rules that were given up)'
    : ''
  return [
    ...stray.map((error) => `an error that nobody caught: ${error}`),
    ...[...disposals].map((error) => `\`dispose\` failed: ${error}`),
    ...(open.length > 0 ? [`open after the last \`dispose\`: ${open.join(', ')}${doubt}`] : []),
  ]
}
