import { MAIN } from '../plan/plan.ts'
import type { Cell, Database, OperationName, Run } from '../results/results.ts'
import { compare, counterpart, type Metric } from '../results/summary.ts'
import { number } from './html.ts'
import { nameOf, operations, subjectOf } from './labels.ts'

/** What ours should be beside the package that most use, as a ratio. */
interface Aims {
  /** Operations a second, `BUSY` at once, at least. */
  most: Partial<Record<OperationName, number>>
  /** With any operation, `BUSY` at once, at most. */
  p99: number
  cpuApp: number
  /** Operations a second of any operation, one by one, at least. */
  alone: number
}

/** Calls at once. */
const BUSY = 256

const aims: Partial<Record<Database, Aims>> = {
  redis: { most: { 'lookup-touch': 2, save: 1 }, p99: 1, cpuApp: 0.6, alone: 0.9 },
  mongodb: { most: { 'lookup-touch': 8, save: 2.5 }, p99: 0.25, cpuApp: 0.3, alone: 1 },
  postgres: { most: { 'lookup-touch': 10, save: 8 }, p99: 0.25, cpuApp: 0.3, alone: 1 },
  sqlite: { most: { 'lookup-touch': 2, save: 3 }, p99: 1, cpuApp: 0.6, alone: 1 },
}

/** Those that aims are set for. */
const scenarios = ['lookup', 'touch', 'save', 'request', 'http']

/** Where a store of ours misses what it aims for, be it ahead of the other package or not; a sentence for each. Text. */
export function missed(run: Run): string[] {
  return MAIN.flatMap((id) =>
    run.cells.flatMap((theirs) => {
      if (theirs.subject !== id || !scenarios.includes(theirs.scenario)) return []
      const peer = subjectOf(run, id)
      const ours = peer.comparedWith[0] && counterpart(run, theirs, peer.comparedWith[0])
      if (!ours) return []
      return aimsOf(peer.database, ours).flatMap(([metric, unit, aim, isAtLeast]) => {
        const ratio = compare(ours, theirs, metric)
        if (!ratio?.sure) return []
        // As it is told: nobody misses 1x by 0.997x.
        const told = Math.round(ratio.median * 100) / 100
        if (isAtLeast ? told >= aim : told <= aim) return []
        const what = `${nameOf(subjectOf(run, ours.subject))}, ${operations[ours.operation]}, ${ours.parameters.concurrency} at once`
        return [
          `Missed aim: ${what}: ${number(ratio.median)}x the ${unit} of ${nameOf(peer)} (${number(ratio.low)}–${number(ratio.high)}), where ${isAtLeast ? 'at least' : 'at most'} ${number(aim)}x is wanted.`,
        ]
      })
    }),
  )
}

function aimsOf(
  database: Database,
  { scenario, operation, parameters: { concurrency } }: Cell,
): (readonly [metric: Metric, unit: string, aim: number, isAtLeast: boolean])[] {
  const wanted = aims[database]
  if (!wanted) return []
  // Under an application the store is a small part of the work.
  if (scenario === 'http') return [['opsPerSecond', 'requests a second', 1, true]]
  if (concurrency === 1) return [['opsPerSecond', 'operations a second', wanted.alone, true]]
  if (concurrency !== BUSY) return []
  return [
    ['opsPerSecond', 'operations a second', wanted.most[operation] ?? 0, true],
    ['p99', 'p99', wanted.p99, false],
    ['cpuApp', 'CPU of the application', wanted.cpuApp, false],
  ]
}
