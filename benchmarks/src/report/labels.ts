import { databases } from '@session-stores/testbed/databases'
import type {
  Cell,
  Database,
  OperationName,
  Parameters,
  Run,
  ScenarioName,
  SubjectInfo,
} from '../results/results.ts'
import { figure } from '../results/summary.ts'
import { number } from './html.ts'

/** The display names of the databases. */
export const databaseNames: Record<Database, string> = {
  redis: databases.redis.name,
  mongodb: databases.mongodb.name,
  postgres: databases.postgres.name,
  sqlite: databases.sqlite.name,
  memory: 'memory',
  files: 'files',
}

/** The display names of the operations. */
export const operations: Record<OperationName, string> = {
  lookup: 'lookup',
  'lookup-miss': 'lookup of no session',
  'lookup-expired': 'lookup of an expired one',
  touch: 'touch',
  save: 'save, same size',
  'save-growing': 'save, growing',
  'lookup-touch': 'lookup and touch',
  'lookup-touch-moving': 'lookup and touch while slots move',
  mix: 'mix',
  hot: 'one session for all',
  'lookup-pruning': 'lookup during pruning',
  http: 'a session for each connection',
  'http-one-session': 'one session for all',
  verify: 'who sent a request',
}

export function subjectOf(run: Run, id: string): SubjectInfo {
  const subject = run.subjects.find((one) => one.id === id)
  if (!subject) throw new Error(`the run names no subject ${id}`)
  return subject
}

/** Returns the name of a subject, with its setup if the name does not include it. */
export function nameOf({ name, variant }: SubjectInfo): string {
  if (variant === 'cluster') return `${name}, Redis Cluster`
  return variant === 'pgbouncer' ? `${name}, PgBouncer` : name
}

/**
 * Returns the cells of a scenario, grouped by operation and parameters. The highest load comes
 * last.
 */
export function groupsOf(run: Run, scenario: ScenarioName): Cell[][] {
  const cells = run.cells.filter((cell) => cell.scenario === scenario)
  const groups = Map.groupBy(cells, ({ operation, parameters }) => {
    const { payload, concurrency, processes, rate, stored } = parameters
    return JSON.stringify([
      operation,
      payload,
      concurrency,
      processes,
      rate,
      scenario === 'stored' ? stored : 0,
    ])
  })
  return [...groups.values()].sort(([a], [b]) => byParameters(a!, b!))
}

/** Compares by operation, in the order above, and then by parameters in ascending order. */
export function byParameters(a: Cell, b: Cell): number {
  const of = ({ operation, parameters: { payload, stored, processes, concurrency, rate } }: Cell) => [
    ...[Object.keys(operations).indexOf(operation), payload, stored],
    ...[processes ?? 0, concurrency, rate ?? 0],
  ]
  const [ours, theirs] = [of(a), of(b)]
  const at = ours.findIndex((value, index) => value !== theirs[index])
  return at < 0 ? 0 : ours[at]! - theirs[at]!
}

/** Describes how much is in flight: `8 processes, 4 at once each`, `256 at once`, or `1,000 a second`. */
export function loadOf({ concurrency, processes, rate: begun }: Parameters): string {
  if (begun !== undefined) return `${number(begun)} a second`
  if (processes === undefined) return `${concurrency} at once`
  return processes === 1
    ? `1 process, ${concurrency} at once`
    : `${processes} processes, ${concurrency} at once each`
}

/** Returns a comparison by the order of the subjects in the run. */
export function inOrder(run: Run): (a: { subject: string }, b: { subject: string }) => number {
  const places = new Map(run.subjects.map(({ id }, index) => [id, index]))
  return (a, b) => (places.get(a.subject) ?? 0) - (places.get(b.subject) ?? 0)
}

/**
 * Returns the cells of an operation with the highest concurrency that have a figure, the fastest
 * first.
 */
export function busiest(run: Run, scenario: ScenarioName, operation: OperationName): Cell[] {
  const cells = run.cells.filter((cell) => cell.scenario === scenario && cell.operation === operation)
  const most = Math.max(...cells.map(({ parameters }) => parameters.concurrency))
  return cells
    .filter((cell) => cell.parameters.concurrency === most && figure(cell, 'opsPerSecond'))
    .sort((a, b) => rate(b) - rate(a))
}

export const rate = (cell: Cell): number => figure(cell, 'opsPerSecond')?.median ?? 0
