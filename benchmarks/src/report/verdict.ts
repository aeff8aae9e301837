import { databaseIds, serverDatabaseIds } from '@session-stores/testbed/databases'
import type { Cell, Database, Run, ScenarioName } from '../results/results.ts'
import type { Ratio } from '../results/statistics.ts'
import { compare, counterpart, figure, type Metric } from '../results/summary.ts'
import { findMissedAims } from './aims.ts'
import { enumeration, html, number } from './html.ts'
import {
  busiest,
  byParameters,
  databaseNames,
  inOrder,
  loadOf,
  nameOf,
  operations,
  subjectOf,
} from './labels.ts'
import { findMissedTokenAims } from './tokens.ts'

/** A situation for which the page recommends stores. */

interface Deployment {
  title: string
  /** The scenario that represents the situation. */
  scenario: ScenarioName
  variant: string
  /** The suitable databases. */
  fits: readonly Database[]
}

const plain = { scenario: 'request', variant: 'standalone' } as const
const deployments: readonly Deployment[] = [
  { title: 'One machine', ...plain, fits: databaseIds },
  { title: 'Several application servers', ...plain, fits: serverDatabaseIds },
  { title: 'PostgreSQL behind PgBouncer', scenario: 'pgbouncer', variant: 'pgbouncer', fits: ['postgres'] },
  { title: 'Redis Cluster', scenario: 'cluster', variant: 'cluster', fits: ['redis'] },
]

/**
 * Returns the suitable stores of this project for each situation, the fastest first, as HTML. The
 * list is empty if the run lacks the lookup-and-touch operation.
 */
export function verdicts(run: Run): { title: string; text: string; items: string[] }[] {
  return deployments.flatMap(({ title, scenario, variant, fits }) => {
    const ours = busiest(run, scenario, 'lookup-touch').filter(({ subject }) => {
      const info = subjectOf(run, subject)
      return info.role === 'ours' && info.variant === variant && fits.includes(info.database)
    })
    const [first] = ours
    if (!first) return []
    const { name, database } = subjectOf(run, first.subject)
    const most = ours.length === 1 ? '' : `${html(name)} on ${databaseNames[database]} serves most. `
    const text = `${most}A request looks its session up and touches it, ${first.parameters.concurrency} at once.`
    return [{ title, text, items: ours.map((cell) => renderStanding(run, cell)) }]
  })
}

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
 * Returns sentences on other costs, as plain text: compared with MemoryStore, with many sessions,
 * with expired sessions, and the missed aims.
 */
export function slower(run: Run): string[] {
  return [
    ...compareWithMemory(run),
    ...compareSizes(run),
    ...findLingering(run),
    ...findMissedAims(run),
    ...findMissedTokenAims(run),
  ]
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

/** Renders one of this project's stores, with figures and compared with the other packages. */
function renderStanding(run: Run, cell: Cell): string {
  const { name, database } = subjectOf(run, cell.subject)
  const p99 = number(figure(cell, 'p99')?.median)
  const peers = busiest(run, cell.scenario, cell.operation).filter((other) => {
    const { role, comparedWith } = subjectOf(run, other.subject)
    const isRival = role === 'peer' && comparedWith.includes(cell.subject)
    return isRival && other === counterpart(run, cell, other.subject)
  })
  const parts = peers.flatMap((peer) => {
    const ratio = compare(cell, peer, 'opsPerSecond')
    return ratio ? [`${formatRatio(ratio)} as ${html(subjectOf(run, peer.subject).name)}`] : []
  })
  const beside = parts.length > 0 ? `: ${enumeration(parts)}` : ''
  return `<strong>${html(name)}</strong> (${databaseNames[database]}) serves ${number(figure(cell, 'opsPerSecond')?.median)} requests a second, 99 of 100 within ${p99}&nbsp;ms${beside}.`
}

function formatRatio(ratio: Ratio): string {
  const interval = `(${number(ratio.low)}–${number(ratio.high)})`
  if (!ratio.sure) return `~${number(ratio.median)} times as many`
  if (!ratio.significant) return `as far as can be told as many ${interval}`
  return `${number(ratio.median)} times ${interval} as many`
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
