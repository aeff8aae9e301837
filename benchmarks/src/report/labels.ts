import type { Cell, Database, OperationName, Run, ScenarioName, SubjectInfo } from '../results/results.ts'
import { figure } from '../results/summary.ts'

/** As people write them. */
export const databases: Record<Database, string> = {
  redis: 'Redis',
  mongodb: 'MongoDB',
  postgres: 'PostgreSQL',
  sqlite: 'SQLite',
  memory: 'memory',
  files: 'files',
}

/** What an operation is called in a table. */
export const operations: Record<OperationName, string> = {
  lookup: 'lookup',
  'lookup-miss': 'lookup of no session',
  'lookup-expired': 'lookup of an expired one',
  touch: 'touch',
  save: 'save, same size',
  'save-growing': 'save, growing',
  'lookup-touch': 'lookup and touch',
  mix: 'mix',
  hot: 'one session for all',
  'lookup-pruning': 'lookup during pruning',
  http: 'a session for each connection',
  'http-one-session': 'one session for all',
}

export function subjectOf(run: Run, id: string): SubjectInfo {
  const subject = run.subjects.find((one) => one.id === id)
  if (!subject) throw new Error(`the run names no subject ${id}`)
  return subject
}

/** Where else it stands than its name tells. */
export function nameOf({ name, variant }: SubjectInfo): string {
  if (variant === 'cluster') return `${name}, Redis Cluster`
  return variant === 'pgbouncer' ? `${name}, PgBouncer` : name
}

/** The cells of a scenario by what was done and how, the groups with the most at once last. */
export function groupsOf(run: Run, scenario: ScenarioName): Cell[][] {
  const cells = run.cells.filter((cell) => cell.scenario === scenario)
  const groups = Map.groupBy(cells, ({ operation, parameters: { payload, concurrency, rate, stored } }) =>
    JSON.stringify([operation, payload, concurrency, rate, scenario === 'stored' ? stored : 0]),
  )
  return [...groups.values()].sort(([a], [b]) => byParameters(a!, b!))
}

/** Operations in the order of their names here, then the small before the large. */
export function byParameters(a: Cell, b: Cell): number {
  const of = ({ operation, parameters: { payload, stored, concurrency, rate } }: Cell) => [
    ...[Object.keys(operations).indexOf(operation), payload, stored, concurrency, rate ?? 0],
  ]
  const [ours, theirs] = [of(a), of(b)]
  const at = ours.findIndex((value, index) => value !== theirs[index])
  return at < 0 ? 0 : ours[at]! - theirs[at]!
}

/** In the order in which the run names the subjects. */
export function inOrder(run: Run): (a: { subject: string }, b: { subject: string }) => number {
  const places = new Map(run.subjects.map(({ id }, index) => [id, index]))
  return (a, b) => (places.get(a.subject) ?? 0) - (places.get(b.subject) ?? 0)
}

/** The cells of one operation that had the most in flight, with a figure each, the fastest first. */
export function busiest(run: Run, scenario: ScenarioName, operation: OperationName): Cell[] {
  const cells = run.cells.filter((cell) => cell.scenario === scenario && cell.operation === operation)
  const most = Math.max(...cells.map(({ parameters }) => parameters.concurrency))
  return cells
    .filter((cell) => cell.parameters.concurrency === most && figure(cell, 'opsPerSecond'))
    .sort((a, b) => rate(b) - rate(a))
}

export const rate = (cell: Cell): number => figure(cell, 'opsPerSecond')?.median ?? 0
