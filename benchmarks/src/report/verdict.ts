import type { Cell, Database, Run, ScenarioName } from '../results/results.ts'
import type { Ratio } from '../results/statistics.ts'
import { compare, counterpart, figure, type Metric } from '../results/summary.ts'
import { missed } from './aims.ts'
import { enumeration, html, number } from './html.ts'
import { busiest, byParameters, databases, inOrder, nameOf, operations, subjectOf } from './labels.ts'

/** What the figures say, in words that hold for any run. */

interface Deployment {
  title: string
  /** What is measured for it. */
  scenario: ScenarioName
  variant: string
  /** The databases that fit it. */
  fits: readonly Database[]
}

const shared: readonly Database[] = ['redis', 'postgres', 'mongodb']
const plain = { scenario: 'request', variant: 'standalone' } as const
const deployments: readonly Deployment[] = [
  { title: 'One machine', ...plain, fits: ['sqlite', ...shared] },
  { title: 'Several application servers', ...plain, fits: shared },
  { title: 'PostgreSQL behind PgBouncer', scenario: 'pgbouncer', variant: 'pgbouncer', fits: ['postgres'] },
  { title: 'Redis Cluster', scenario: 'cluster', variant: 'cluster', fits: ['redis'] },
]

/** For each deployment the stores of ours that fit, the fastest first; HTML. Empty where the run has no lookup-and-touch. */
export function verdicts(run: Run): { title: string; text: string; items: string[] }[] {
  return deployments.flatMap(({ title, scenario, variant, fits }) => {
    const ours = busiest(run, scenario, 'lookup-touch').filter(({ subject }) => {
      const info = subjectOf(run, subject)
      return info.role === 'ours' && info.variant === variant && fits.includes(info.database)
    })
    const [first] = ours
    if (!first) return []
    const { name, database } = subjectOf(run, first.subject)
    const most = ours.length === 1 ? '' : `${html(name)} on ${databases[database]} serves most. `
    const text = `${most}A request looks its session up and touches it, ${first.parameters.concurrency} at once.`
    return [{ title, text, items: ours.map((cell) => standing(run, cell)) }]
  })
}

/** Whether sessions of ours end on time, in a sentence; HTML. */
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

/** What else costs, in sentences: beside no database at all, with more sessions, and with expired ones; and the aims missed. Text. */
export function slower(run: Run): string[] {
  return [...besideMemory(run), ...growing(run), ...lingering(run), ...missed(run)]
}

function besideMemory(run: Run): string[] {
  return run.cells.flatMap((ceiling) => {
    if (ceiling.scenario !== 'http' || subjectOf(run, ceiling.subject).role !== 'ceiling') return []
    const told = run.subjects.flatMap((subject) => {
      const cell = subject.role === 'ours' ? counterpart(run, ceiling, subject.id) : undefined
      const ratio = cell && compare(cell, ceiling, 'opsPerSecond')
      return ratio?.significant && ratio.median < 1 ? [`${nameOf(subject)} ${number(ratio.median)}x`] : []
    })
    if (told.length === 0) return []
    const how = operations[ceiling.operation]
    return [
      `Express over HTTP, ${how}, against ${nameOf(subjectOf(run, ceiling.subject))}: ${enumeration(told)} its requests a second.`,
    ]
  })
}

/** How much longer a lookup takes with the most sessions than with 10,000. */
function growing(run: Run): string[] {
  const cells = run.cells.filter(
    ({ scenario, subject }) => scenario === 'stored' && subjectOf(run, subject).role === 'ours',
  )
  const most = Math.max(...cells.map(({ parameters }) => parameters.stored))
  const told = cells.flatMap((cell) => {
    const few = cells.find(({ subject, parameters }) => subject === cell.subject && parameters.stored === FEW)
    const ratio = few && cell.parameters.stored === most ? compare(few, cell, 'opsPerSecond') : undefined
    if (!ratio?.significant || ratio.median < 1) return []
    return [`${nameOf(subjectOf(run, cell.subject))} ${number(ratio.median)}x`]
  })
  if (told.length === 0) return []
  return [
    `A lookup among ${number(most)} sessions takes longer than among ${number(FEW)}: ${enumeration(told)} the time.`,
  ]
}

const FEW = 10_000

/** Whose expired sessions take up storage for longer than those of another package on the same database. */
function lingering(run: Run): string[] {
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

/** One of ours, in figures, and next to each peer on the same database. */
function standing(run: Run, cell: Cell): string {
  const { name, database } = subjectOf(run, cell.subject)
  const p99 = number(figure(cell, 'p99')?.median)
  const peers = busiest(run, cell.scenario, cell.operation).filter((other) => {
    const { role, comparedWith } = subjectOf(run, other.subject)
    const isRival = role === 'peer' && comparedWith.includes(cell.subject)
    return isRival && other === counterpart(run, cell, other.subject)
  })
  const told = peers.flatMap((peer) => {
    const ratio = compare(cell, peer, 'opsPerSecond')
    return ratio ? [`${times(ratio)} as ${html(subjectOf(run, peer.subject).name)}`] : []
  })
  const beside = told.length > 0 ? `: ${enumeration(told)}` : ''
  return `<strong>${html(name)}</strong> (${databases[database]}) serves ${number(figure(cell, 'opsPerSecond')?.median)} requests a second, 99 of 100 within ${p99}&nbsp;ms${beside}.`
}

function times(ratio: Ratio): string {
  const interval = `(${number(ratio.low)}–${number(ratio.high)})`
  if (!ratio.sure) return `~${number(ratio.median)} times as many`
  if (!ratio.significant) return `as far as can be told as many ${interval}`
  return `${number(ratio.median)} times ${interval} as many`
}

/** What is compared, and whether more of it is better. */
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
 * Wherever a peer does significantly better than the one of ours on its database; ordered by store, what was done, and
 * how.
 */
export function losses(run: Run): Loss[] {
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
        // How many began, the rate says, and not the store.
        if (metric === 'opsPerSecond' && cell.parameters.rate !== undefined) return []
        const ratio = compare(ours, cell, metric)
        if (!ratio?.significant || ratio.median > 1 === isMoreBetter) return []
        const { concurrency, rate, payload, stored } = cell.parameters
        const load = rate === undefined ? `${concurrency} at once` : `${number(rate)} a second`
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
