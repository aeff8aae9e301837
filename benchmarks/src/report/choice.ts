import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { MAIN } from '../plan/main-subjects.ts'
import type { Cell, Run, SubjectInfo } from '../results/results.ts'
import type { Ratio } from '../results/statistics.ts'
import { compare, counterpart, figure } from '../results/summary.ts'
import { number } from './html.ts'
import { databaseNames, nameOf, rate } from './labels.ts'

/** A row of the table that answers which store to use. All texts are plain. */
export interface Choice {
  database: string
  store: string
  /** Requests a second and p99 in milliseconds of an Express application over HTTP. */
  requests: string
  p99: string
  /** The ratio of the requests a second to those with the package that most people use. */
  ratio: string
  peer: string
  needs: string
  when: string
}

/** What a database needs, and who should choose it, beside its figures. */
const advice: Readonly<Record<DatabaseId, readonly [needs: string, when: string]>> = {
  sqlite: ['a file on the disk, and no server', 'the application runs on one machine'],
  redis: ['a Redis server with memory for all sessions', 'speed matters on several machines'],
  postgres: ['a PostgreSQL server', 'your data is in PostgreSQL, or sessions must survive a crash'],
  mongodb: ['a MongoDB replica set', 'your data is in MongoDB'],
}

/** Returns a row for each database, the one with the most requests a second first. */
export function findChoices(run: Run): Choice[] {
  const pairs = databaseIds.flatMap((id) => {
    const pair = findPair(run, id)
    const cell = pair && cellOf(run, pair.ours.id, 'http')
    return pair && cell && figure(cell, 'opsPerSecond') ? [{ id, cell, ...pair }] : []
  })
  pairs.sort((a, b) => rate(b.cell) - rate(a.cell))
  return pairs.map(({ id, cell, ours, peer }) => {
    const [needs, when] = advice[id]
    const other = counterpart(run, cell, peer.id)
    return {
      ...{ database: databaseNames[id], store: ours.name, peer: nameOf(peer), needs, when },
      requests: number(rate(cell)),
      p99: number(figure(cell, 'p99')?.median),
      ratio: formatRatio(other && compare(cell, other, 'opsPerSecond')),
    }
  })
}

/**
 * Returns sentences on how the stores compare: in an application over HTTP, with few requests at once,
 * and with many. A sentence is missing if the run has no figures for it.
 */
export function describeSpeed(run: Run): string[] {
  return [describeHttp(run), describeFew(run), describeMany(run)].filter((text) => text !== '')
}

function describeHttp(run: Run): string {
  const ceiling = cellOf(run, 'MemoryStore', 'http')
  if (!ceiling) return ''
  const ratios = databaseIds.flatMap((id) => {
    const pair = findPair(run, id)
    const cell = pair && cellOf(run, pair.ours.id, 'http')
    const ratio = cell && compare(cell, ceiling, 'opsPerSecond')
    return ratio ? [{ id, ratio }] : []
  })
  const span = formatSpan(ratios)
  return (
    span &&
    `With ${ceiling.parameters.concurrency} connections, our stores serve ${span} the requests a second of express-session's MemoryStore, which uses no database.`
  )
}

function describeFew(run: Run): string {
  const fleet = run.cells.filter(
    ({ scenario, parameters }) => scenario === 'fleet' && parameters.concurrency === 1,
  )
  const most = Math.max(...fleet.map(({ parameters }) => parameters.processes ?? 0))
  const few = fleet.filter(({ parameters }) => parameters.processes === most)
  const alone = run.cells.filter(
    ({ scenario, parameters }) => scenario === 'request' && parameters.concurrency === 1,
  )
  const span = formatSpan(ratiosOf(run, few.length > 0 ? few : alone))
  const load = few.length > 0 ? `${most} processes and one call at a time in each` : 'one call at a time'
  return (
    span &&
    `Without an application and with ${load}, they complete ${span} the operations a second of the usual package.`
  )
}

function describeMany(run: Run): string {
  const cells = run.cells.filter(({ scenario }) => scenario === 'request')
  const most = Math.max(...cells.map(({ parameters }) => parameters.concurrency))
  const span = formatSpan(
    ratiosOf(
      run,
      cells.filter(({ parameters }) => parameters.concurrency === most),
    ),
  )
  return (
    span &&
    `With ${most} calls at a time, they complete ${span} its operations a second, because calls that wait together share a round trip.`
  )
}

interface NamedRatio {
  id: DatabaseId
  ratio: Ratio
}

/** Compares our store of each database with the package that most people use. */
function ratiosOf(run: Run, cells: readonly Cell[]): NamedRatio[] {
  return databaseIds.flatMap((id) => {
    const pair = findPair(run, id)
    const cell = pair && cells.find(({ subject }) => subject === pair.ours.id)
    const other = cell && counterpart(run, cell, pair.peer.id)
    const ratio = other && compare(cell, other, 'opsPerSecond')
    return ratio ? [{ id, ratio }] : []
  })
}

/** Formats the lowest and the highest ratio, like `0.86 (Redis) to 2.15 (SQLite) times`. */
function formatSpan(ratios: readonly NamedRatio[]): string {
  const sorted = ratios.toSorted((a, b) => a.ratio.median - b.ratio.median)
  const [lowest, highest] = [sorted[0], sorted.at(-1)]
  if (!lowest || !highest) return ''
  const ends = lowest === highest ? [lowest] : [lowest, highest]
  return `${ends.map(({ id, ratio }) => `${formatTimes(ratio)} (${databaseNames[id]})`).join(' to ')} times`
}

/** Returns our store for a database, and the package that most people use there. */
export function findPair(run: Run, id: DatabaseId): { ours: SubjectInfo; peer: SubjectInfo } | undefined {
  const peer = run.subjects.find((one) => MAIN.includes(one.id) && one.database === id)
  const ours = peer && run.subjects.find((one) => one.id === peer.comparedWith[0])
  return ours && { ours, peer }
}

const cellOf = (run: Run, subject: string, operation: 'http'): Cell | undefined =>
  run.cells.find(
    (cell) => cell.scenario === 'http' && cell.operation === operation && cell.subject === subject,
  )

const formatTimes = (ratio: Ratio): string => formatRatio(ratio).replace('x', '')

/** Formats a ratio like `2.1x`, or `~1.1x` if the difference may be due to chance. */
export const formatRatio = (ratio: Ratio | undefined): string =>
  ratio ? `${ratio.significant ? '' : '~'}${number(ratio.median)}x` : ''
