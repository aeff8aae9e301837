import type { Outcome, Result } from '../engine/judge.ts'
import type { Level } from '../engine/rule.ts'

/** What is known of a store after a run: the output of `--json`, and the input of other reports. */
export interface Report {
  /** The version of this format. */
  format: 1
  /** The name of the store. */
  store: string
  /**
   * What was tested, and the suite: `{ 'connect-redis': '10.0.0', '@session-stores/conformance':
   * '1.0.0' }`
   */
  versions: Readonly<Record<string, string>>
  /** When the run ended, as ISO 8601 in UTC. */
  date: string
  /** The version of Node.js: `v24.21.0` */
  node: string
  /** One result per chosen rule, in the order of the rules. */
  results: readonly Result[]
  /**
   * How many resources are open after the last `dispose` that were not open before the first
   * `make`, by the name that Node.js gives the resource.
   */
  leaks: Readonly<Record<string, number>>
  /** The uncaught errors that no rule reproduces when it runs alone. */
  stray: readonly string[]
}

/** How many rules there are, and how many of each outcome. */
export type Counts = Record<Outcome, number> & { rules: number }

/** Counts results by outcome. */
export function count(results: readonly Result[]): Counts {
  const counts = { rules: results.length, passed: 0, failed: 0, absent: 0, 'not-run': 0, 'opted-out': 0 }
  for (const { outcome } of results) counts[outcome]++
  return counts
}

/** Groups results by the part of the rule id before the `/`, in the order of the rules. */
export function groups(results: readonly Result[]): [group: string, results: Result[]][] {
  return [...Map.groupBy(results, ({ id }) => id.split('/', 1)[0]!)]
}

/** Returns the results of the rules that the store breaks: of one level, or of every level. */
export function broken(results: readonly Result[], level?: Level): Result[] {
  return results.filter((result) => result.outcome === 'failed' && (!level || result.level === level))
}

/** Returns whether the store breaks no rule of level `must` and causes no stray error. */
export function holds({ results, stray }: Report): boolean {
  return broken(results, 'must').length === 0 && stray.length === 0
}

/** Returns the totals in one line: `117 rules: 112 passed, 1 failed (1 must), 4 not run` */
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

/** The outcomes with their names, in the order of reports. */
export const OUTCOMES: readonly (readonly [Outcome, string])[] = [
  ['passed', 'passed'],
  ['failed', 'failed'],
  ['absent', 'absent'],
  ['not-run', 'not run'],
  ['opted-out', 'opted out'],
]

/** Describes what went wrong outside the rules, in one line each. */
export function describeIncidents({ results, leaks, stray }: Report): string[] {
  const disposals = new Set(results.flatMap(({ disposal }) => disposal ?? []))
  const open = Object.entries(leaks).map(([name, number]) => `${name} ×${number}`)
  const doubt = results.some(({ givenUp }) => givenUp)
    ? ' (rules that timed out may have left some of these open)'
    : ''
  return [
    ...stray.map((error) => `an uncaught error: ${error}`),
    ...[...disposals].map((error) => `\`dispose\` failed: ${error}`),
    ...(open.length > 0 ? [`open after the last \`dispose\`: ${open.join(', ')}${doubt}`] : []),
  ]
}
