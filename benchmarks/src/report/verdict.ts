import type { Cell, Run } from '../results/results.ts'
import type { Ratio } from '../results/statistics.ts'
import { compare, counterpart, type Metric } from '../results/summary.ts'
import { enumeration, html, number } from './html.ts'
import { byParameters, inOrder, loadOf, nameOf, operations, subjectOf } from './labels.ts'

/** Returns a sentence on whether this project's sessions end on time, as HTML. */
export function punctuality(run: Run): string {
  const ours = run.expiry.filter(({ subject }) => subjectOf(run, subject).role === 'ours')
  if (ours.length === 0) return ''
  const late = Math.max(...ours.flatMap((round) => round.late))
  const count = ours.reduce((sum, round) => sum + round.late.length, 0)
  const peers = Map.groupBy(
    run.expiry.filter(({ subject }) => subjectOf(run, subject).role === 'peer').toSorted(inOrder(run)),
    ({ subject }) => subject,
  )
  const lax = [...peers].flatMap(([id, rounds]) => {
    const most = Math.max(...rounds.flatMap((round) => round.late))
    return most > 0 ? [`${html(nameOf(subjectOf(run, id)))} (${number(most)}&nbsp;ms)`] : []
  })
  const mine =
    late > 0
      ? `Sessions of ours could be read up to ${number(late)}&nbsp;ms after their deadline`
      : `None of ${number(count)} sessions of ours could be read after its deadline`
  return `${mine}${lax.length > 0 ? `; with other packages the latest were those of ${enumeration(lax)}` : ''}.`
}

/**
 * Returns sentences on other costs, as plain text: compared with MemoryStore, with many sessions, and
 * with expired sessions.
 */
export function slower(run: Run): string[] {
  return [...compareWithMemory(run), ...compareSizes(run), ...findLingering(run)]
}

function compareWithMemory(run: Run): string[] {
  return run.cells.flatMap((ceiling) => {
    if (ceiling.scenario !== 'http' || subjectOf(run, ceiling.subject).role !== 'ceiling') return []
    const parts = run.subjects.flatMap((subject) => {
      const cell = subject.role === 'ours' ? counterpart(run, ceiling, subject.id) : undefined
      const ratio = cell && compare(cell, ceiling, 'opsPerSecond')
      return ratio?.significant && ratio.median < 1 ? [`${nameOf(subject)} ${number(ratio.median)}x`] : []
    })
    if (parts.length === 0) return []
    const how = operations[ceiling.operation]
    return [
      `Express over HTTP, ${how}, against ${nameOf(subjectOf(run, ceiling.subject))}: ${enumeration(parts)} its requests a second.`,
    ]
  })
}

/** Compares lookups among the largest number of sessions with lookups among 10,000. */
function compareSizes(run: Run): string[] {
  const cells = run.cells.filter(
    ({ scenario, subject }) => scenario === 'stored' && subjectOf(run, subject).role === 'ours',
  )
  const most = Math.max(...cells.map(({ parameters }) => parameters.stored))
  const parts = cells.flatMap((cell) => {
    const few = cells.find(({ subject, parameters }) => subject === cell.subject && parameters.stored === FEW)
    const ratio = few && cell.parameters.stored === most ? compare(few, cell, 'opsPerSecond') : undefined
    if (!ratio?.significant || ratio.median < 1) return []
    return [`${nameOf(subjectOf(run, cell.subject))} ${number(ratio.median)}x`]
  })
  if (parts.length === 0) return []
  return [
    `A lookup among ${number(most)} sessions takes longer than among ${number(FEW)}: ${enumeration(parts)} the time.`,
  ]
}

const FEW = 10_000

/**
 * Lists this project's stores whose expired sessions use storage longer than those of another
 * package.
 */
function findLingering(run: Run): string[] {
  return run.reclaim.flatMap((mine) => {
    const { name, role } = subjectOf(run, mine.subject)
    if (role !== 'ours') return []
    const sooner = run.reclaim.flatMap(({ subject, all }) => {
      const isRival = subjectOf(run, subject).comparedWith.includes(mine.subject)
      if (!isRival || all === null || all >= (mine.all ?? Number.POSITIVE_INFINITY)) return []
      return [`${nameOf(subjectOf(run, subject))} (${number(all / 1000)} s)`]
    })
    if (sooner.length === 0) return []
    const gone =
      mine.all === null
        ? `for more than ${number(mine.watched / 1000)} s`
        : `for ${number(mine.all / 1000)} s`
    return [`Expired sessions take up storage ${gone} with ${name}, longer than with ${enumeration(sooner)}.`]
  })
}

/** The compared metrics, and whether a higher value is better. */
const measures: readonly [Metric, string, boolean][] = [
  ['opsPerSecond', 'operations a second', true],
  ['p99', 'p99', false],
  ['cpuApp', 'CPU of the application', false],
  ['cpuServer', 'CPU of the server', false],
]

export interface Loss {
  ours: string
  theirs: string
  what: string
  at: string
  measure: string
  ratio: Ratio
}

/**
 * Returns all cells in which another package is significantly better than this project's store on
 * the same database. They are ordered by store, scenario and parameters.
 */
export function findLosses(run: Run): Loss[] {
  const order = inOrder(run)
  const scenario = (cell: Cell) => run.scenarios.findIndex(({ name }) => name === cell.scenario)
  const cells = run.cells.toSorted((a, b) => order(a, b) || scenario(a) - scenario(b) || byParameters(a, b))
  return cells.flatMap((cell) => {
    const peer = subjectOf(run, cell.subject)
    if (peer.role !== 'peer') return []
    return peer.comparedWith.flatMap((id) => {
      const ours = counterpart(run, cell, id)
      if (!ours) return []
      return measures.flatMap(([metric, measure, isMoreBetter]) => {
        // At a stated rate, the number of operations does not depend on the store.
        if (metric === 'opsPerSecond' && cell.parameters.rate !== undefined) return []
        const ratio = compare(ours, cell, metric)
        if (!ratio?.significant || ratio.median > 1 === isMoreBetter) return []
        const { payload, stored } = cell.parameters
        const load = loadOf(cell.parameters)
        return [
          {
            ...{ ours: nameOf(subjectOf(run, id)), theirs: nameOf(peer), what: operations[cell.operation] },
            ...{ at: `${load}, ${number(payload)} B, ${number(stored)} stored`, measure, ratio },
          },
        ]
      })
    })
  })
}
