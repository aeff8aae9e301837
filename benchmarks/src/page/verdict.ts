import type { Cell, Run } from '../results.ts'
import type { Ratio } from '../statistics.ts'
import { compare, counterpart, figure, type Metric } from '../summary.ts'
import { enumeration, html, number } from './html.ts'
import { busiest, databases, nameOf, operations, subjectOf } from './subjects.ts'

/** What the figures say, in words that hold for any run. */

interface Deployment {
  title: string
  /** The databases that fit it. */
  fits: readonly string[]
}

const deployments: readonly Deployment[] = [
  { title: 'One machine', fits: ['sqlite', 'redis', 'postgres', 'mongodb'] },
  { title: 'Several application servers', fits: ['redis', 'postgres', 'mongodb'] },
]

/** A paragraph for each deployment; HTML. Empty where the run has no lookup-and-touch. */
export function verdicts(run: Run): { title: string; text: string }[] {
  const cells = busiest(run, 'request', 'lookup-touch')
  return deployments.flatMap(({ title, fits }) => {
    const ours = cells.filter(({ subject }) => {
      const { role, database, variant } = subjectOf(run, subject)
      return role === 'ours' && variant === 'standalone' && fits.includes(database)
    })
    return ours.length === 0 ? [] : [{ title, text: ours.map((cell) => standing(run, cell)).join(' ') }]
  })
}

/** One of ours, in figures, and next to each peer on the same database. */
function standing(run: Run, cell: Cell): string {
  const { name, database } = subjectOf(run, cell.subject)
  const p99 = number(figure(cell, 'p99')?.median)
  const peers = run.cells.filter((other) => {
    const { role, comparedWith } = subjectOf(run, other.subject)
    const isRival = role === 'peer' && comparedWith.includes(cell.subject)
    return isRival && other === counterpart(run, cell, other.subject)
  })
  const told = peers.flatMap((peer) => {
    const ratio = compare(cell, peer, 'opsPerSecond')
    return ratio ? [`${times(ratio)} as ${html(nameOf(subjectOf(run, peer.subject)))}`] : []
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

/** Wherever a peer does significantly better than the one of ours on its database. */
export function losses(run: Run): Loss[] {
  return run.cells.flatMap((cell) => {
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
