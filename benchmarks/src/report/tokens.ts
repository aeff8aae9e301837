import { databaseIds, databases } from '@session-stores/testbed/databases'
import type { Cell, OperationName, Run } from '../results/results.ts'
import type { Estimate } from '../results/statistics.ts'
import { compare, figure, type Metric } from '../results/summary.ts'
import { enumeration, number } from './html.ts'
import { nameOf, subjectOf } from './labels.ts'

/** What the run says about access tokens, in words, and the ratios that are wanted of them. */

/** A wanted ratio of one subject to another in the same run. */
interface Aim {
  ours: string
  theirs: string
  operation: OperationName
  /** All concurrencies that were measured, or only this one. */
  concurrency?: number
  metric: Metric
  atLeast?: number
  atMost?: number
}

const BUSY = 256

const aims: readonly Aim[] = [
  {
    ours: 'tokens-cached',
    theirs: 'tokens-jose',
    operation: 'verify',
    concurrency: BUSY,
    metric: 'opsPerSecond',
    atLeast: 20,
  },
  { ours: 'tokens-first', theirs: 'tokens-jose', operation: 'verify', metric: 'cpuApp', atMost: 1.1 },
  ...['redis', 'sqlite'].flatMap((id): Aim[] => [
    {
      ours: `app-preset-${id}`,
      theirs: `app-session-${id}`,
      operation: 'http',
      metric: 'opsPerSecond',
      atLeast: 0.95,
    },
    {
      ours: `app-token-${id}`,
      theirs: `app-open-${id}`,
      operation: 'http',
      metric: 'opsPerSecond',
      atLeast: 0.9,
    },
  ]),
]

/** The most that a remembered token may cost, in microseconds of CPU. */
const MOST_CACHED = 5

/** Returns a sentence for each aim that is certainly missed, as plain text. */
export function findMissedTokenAims(run: Run): string[] {
  const missed = aims.flatMap(
    ({ ours, theirs, operation, concurrency, metric, atLeast = 0, atMost = Number.POSITIVE_INFINITY }) =>
      cellsOf(run, ours, operation, concurrency).flatMap((cell) => {
        const [other] = cellsOf(run, theirs, operation, cell.parameters.concurrency)
        const ratio = other && compare(cell, other, metric)
        if (!ratio?.sure) return []
        // An aim is missed where the whole interval is on the wrong side.
        if (ratio.high >= atLeast && ratio.low <= atMost) return []
        const names = [ours, theirs].map((id) => nameOf(subjectOf(run, id)))
        const wanted = atLeast > 0 ? `at least ${number(atLeast)}x` : `at most ${number(atMost)}x`
        const unit = metric === 'cpuApp' ? 'CPU' : 'rate'
        return [
          `Missed aim: ${names[0]}, ${cell.parameters.concurrency} at once: ${number(ratio.median)}x the ${unit} of ${names[1]} (${number(ratio.low)}–${number(ratio.high)}), where ${wanted} is wanted.`,
        ]
      }),
  )
  const cached = cpuOf(run, 'tokens-cached', BUSY)
  // As with the ratios above, a run of few rounds misses no aim.
  if (!cached?.sure || cached.median <= MOST_CACHED) return missed
  return [
    ...missed,
    `Missed aim: a remembered token costs ${number(cached.median)} µs, where at most ${MOST_CACHED} µs are wanted.`,
  ]
}

/** Says what it costs to find out who sent a request, as sentences of plain text. */
export function describeTokens(run: Run): string[] {
  const [jose, first, cached] = ['tokens-jose', 'tokens-first', 'tokens-cached'].map(
    (id) => cpuOf(run, id, BUSY)?.median,
  )
  const lines: string[] = []
  if (jose !== undefined && first !== undefined && cached !== undefined)
    lines.push(
      `To verify an access token takes jose ${number(jose)} µs of CPU. \`Tokens\` takes ${number(first)} µs the first time, and ${number(cached)} µs while it remembers the token.`,
    )
  const costs = (name: string) =>
    databaseIds.flatMap((id) => {
      const cost = cpuOf(run, `tokens-${name}-${id}`, BUSY)?.median
      return cost === undefined ? [] : [`${number(cost)} µs on ${databases[id].name}`]
    })
  for (const [name, text] of [
    ['lookup', 'A session lookup takes'],
    ['second', 'A token whose session was seen within a second takes'],
    ['asking', 'A token whose session is asked for each time takes'],
  ] as const)
    if (costs(name).length > 0) lines.push(`${text} ${enumeration(costs(name))}.`)
  for (const id of databaseIds) {
    const [open] = cellsOf(run, `app-open-${id}`, 'http')
    if (!open) continue
    const parts = (['session', 'preset', 'token', 'asking'] as const).flatMap((name) => {
      const [cell] = cellsOf(run, `app-${name}-${id}`, 'http')
      const ratio = cell && compare(cell, open, 'opsPerSecond')
      return ratio ? [`${APPLICATIONS[name]} ${number(ratio.median)}x`] : []
    })
    if (parts.length > 0)
      lines.push(
        `Of the requests a second that an Express application serves without authentication, on ${databases[id].name}: ${enumeration(parts)}.`,
      )
  }
  return lines
}

const APPLICATIONS = {
  session: 'express-session',
  preset: 'sessions()',
  token: 'a token with freshness 1000',
  asking: 'a token with freshness 0',
}

const cellsOf = (run: Run, subject: string, operation: OperationName, concurrency?: number): Cell[] =>
  run.cells.filter(
    (cell) =>
      cell.scenario === 'tokens' &&
      cell.subject === subject &&
      cell.operation === operation &&
      (concurrency === undefined || cell.parameters.concurrency === concurrency),
  )

/** Returns the application's CPU time of an operation, in microseconds. */
function cpuOf(run: Run, subject: string, concurrency: number): Estimate | undefined {
  const [cell] = cellsOf(run, subject, 'verify', concurrency)
  return cell && figure(cell, 'cpuApp')
}
