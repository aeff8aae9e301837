import type { DatabaseId } from '@session-stores/testbed/databases'
import { MAIN } from '../plan/main-subjects.ts'
import type { Cell, Database, OperationName, Run, SubjectInfo } from '../results/results.ts'
import { compare, counterpart, type Metric } from '../results/summary.ts'
import { number } from './html.ts'
import { loadOf, nameOf, operations, subjectOf } from './labels.ts'

/** The wanted ratios of this project's store to the package that most people use. */
interface Aims {
  /** The minimum ratio of operations per second at a concurrency of `BUSY`. */
  most: Partial<Record<OperationName, number>>
  /** The maximum ratio for all operations at a concurrency of `BUSY`. */
  p99: number
  cpuApp: number
  /** The minimum ratio of operations per second at a concurrency of 1, 1 unless it is given. */
  alone?: Partial<Record<OperationName, number>>
}

/** The concurrency of most aims. */
const BUSY = 256

const aims: Readonly<Record<DatabaseId, Aims>> & Partial<Record<Database, Aims>> = {
  redis: { most: { 'lookup-touch': 2, save: 1 }, p99: 1, cpuApp: 0.6, alone: { save: 0.95 } },
  mongodb: { most: { 'lookup-touch': 8, save: 2.5 }, p99: 0.25, cpuApp: 0.3 },
  postgres: { most: { 'lookup-touch': 10, save: 8 }, p99: 0.25, cpuApp: 0.3 },
  sqlite: { most: { 'lookup-touch': 2, save: 3 }, p99: 1, cpuApp: 0.6 },
}

/** The scenarios that have aims. */
const scenarios = ['lookup', 'touch', 'save', 'request', 'http', 'fleet', 'cluster']

/** The wanted ratios on a cluster. */
const clusterAims: Partial<Record<OperationName, number>> = {
  ...{ lookup: 1.1, touch: 1.5, save: 1.5, 'lookup-touch': 1.3, 'lookup-touch-moving': 1.3 },
}
/** The most operations at once in each process of a fleet that have an aim. */
const FEW = 16
/** The minimum share of the rate of the bare client in a fleet. */
const floorAims: Readonly<Record<string, number>> = { 'floor-redis': 0.8 }
/** The minimum share of the requests a second of MemoryStore, and of a store with `freshness`. */
const memoryAims: Partial<Record<Database, number>> = { postgres: 0.9, mongodb: 0.75 }
const NEAR_AIM = 0.95
/** An aim that is missed by less than this share is almost reached. */
const LITTLE = 0.05

type Aim = readonly [metric: Metric, unit: string, aim: number, isAtLeast: boolean]

/** A cell of this project that has aims, and the cell with which it is compared. */
interface Pair {
  ours: Cell
  theirs: Cell
  wanted: readonly Aim[]
}

/**
 * Returns a sentence for each missed aim, as plain text. A store may miss an aim although it is
 * faster than the other package.
 */
export function findMissedAims(run: Run): string[] {
  return findPairs(run).flatMap(({ ours, theirs, wanted }) =>
    wanted.flatMap(([metric, unit, aim, isAtLeast]) => {
      const ratio = compare(ours, theirs, metric)
      if (!ratio?.sure) return []
      // The ratio is compared as it is displayed, so that 0.997 does not miss an aim of 1.
      const rounded = Math.round(ratio.median * 100) / 100
      if (isAtLeast ? rounded >= aim : rounded <= aim) return []
      const isClose = isAtLeast ? rounded > aim * (1 - LITTLE) : rounded < aim * (1 + LITTLE)
      const what = `${nameOf(subjectOf(run, ours.subject))}, ${operations[ours.operation]}, ${loadOf(ours.parameters)}`
      const other = nameOf(subjectOf(run, theirs.subject))
      return [
        `${isClose ? 'Almost reached' : 'Missed aim'}: ${what}: ${number(ratio.median)}x the ${unit} of ${other} (${number(ratio.low)}–${number(ratio.high)}), where ${isAtLeast ? 'at least' : 'at most'} ${number(aim)}x is wanted.`,
      ]
    }),
  )
}

function findPairs(run: Run): Pair[] {
  const others = run.cells.flatMap((theirs) => {
    const subject = run.subjects.find(({ id }) => id === theirs.subject)
    return subject && scenarios.includes(theirs.scenario) ? [{ theirs, subject }] : []
  })
  return others.flatMap(({ theirs, subject }) =>
    run.subjects.flatMap((own) => {
      if (own.role !== 'ours') return []
      const ours = counterpart(run, theirs, own.id)
      const wanted = ours ? aimsBetween(own, subject, ours) : []
      return ours && wanted.length > 0 ? [{ ours, theirs, wanted }] : []
    }),
  )
}

function aimsBetween(own: SubjectInfo, other: SubjectInfo, cell: Cell): readonly Aim[] {
  const { scenario, operation, parameters } = cell
  const isRival = other.comparedWith[0] === own.id
  if (isRival && [...MAIN, 'connect-redis-cluster'].includes(other.id)) return aimsOf(other.database, cell)
  const floorAim = floorAims[other.id]
  if (isRival && scenario === 'fleet' && floorAim !== undefined && parameters.concurrency <= FEW)
    return [['opsPerSecond', 'operations a second', floorAim, true]]
  if (other.id !== 'MemoryStore' || operation !== 'http') return []
  const share =
    own.variant === 'near' ? NEAR_AIM : own.variant === 'standalone' ? memoryAims[own.database] : undefined
  return share === undefined ? [] : [['opsPerSecond', 'requests a second', share, true]]
}

function aimsOf(
  database: Database,
  { scenario, operation, parameters: { concurrency } }: Cell,
): readonly Aim[] {
  const wanted = aims[database]
  if (!wanted) return []
  // In an application, the store causes only a small part of the work.
  if (scenario === 'http') return [['opsPerSecond', 'requests a second', 1, true]]
  if (scenario === 'fleet' && concurrency > FEW) return []
  if (scenario === 'fleet')
    return [
      ['opsPerSecond', 'operations a second', 1, true],
      ['p50', 'p50', 1, false],
    ]
  if (scenario === 'cluster')
    return [['opsPerSecond', 'operations a second', clusterAims[operation] ?? 0, true]]
  if (concurrency === 1)
    return [['opsPerSecond', 'operations a second', wanted.alone?.[operation] ?? 1, true]]
  if (concurrency !== BUSY) return []
  return [
    ['opsPerSecond', 'operations a second', wanted.most[operation] ?? 0, true],
    ['p99', 'p99', wanted.p99, false],
    ['cpuApp', 'CPU of the application', wanted.cpuApp, false],
  ]
}
