import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import type { Cell, Measurement, Parameters, Round, Run } from './results.ts'
import { type Estimate, estimate, type Ratio, ratio } from './statistics.ts'

/** `p50` and `p99` are latencies in milliseconds. The others are fields of `Measurement`. */
export type Metric =
  | 'p50'
  | 'p99'
  | 'p99FromCall'
  | Exclude<
      keyof Measurement,
      'latency' | 'latencyFromCall' | 'failure' | 'operations' | 'seconds' | 'errors' | 'wrong'
    >

/** A cell with a larger share of failed operations or wrong answers has no figures. */
const MOST_FAILED = 0.01

/** Returns the metric by round. Rounds without the metric are omitted. */
function valuesOf(cell: Cell, metric: Metric): Map<number, number> {
  if (failedShare(cell) > MOST_FAILED) return new Map()
  return new Map(
    cell.rounds.flatMap((round) => {
      const value = metricOf(round, metric)
      return value === null || value === undefined ? [] : [[round.round, value]]
    }),
  )
}

/** Returns the median over all rounds, or `undefined` if there is no figure. */
export function figure(cell: Cell, metric: Metric): Estimate | undefined {
  return estimate([...valuesOf(cell, metric).values()])
}

/** Returns the ratio of the metric in `cell` to the metric in `other`. */
export function compare(cell: Cell, other: Cell, metric: Metric, confidence?: number): Ratio | undefined {
  return ratio(valuesOf(cell, metric), valuesOf(other, metric), confidence)
}

/** Returns the cell of another subject with the same scenario, operation and parameters. */
export function counterpart(run: Run, cell: Cell, subject: string): Cell | undefined {
  return run.cells.find(
    (other) =>
      other.subject === subject &&
      other.scenario === cell.scenario &&
      other.operation === cell.operation &&
      isSame(other.parameters, cell.parameters),
  )
}

/** Returns the share of a cell's operations that failed or had a wrong answer. */
export function failedShare({ rounds }: Cell): number {
  const failed = rounds.reduce((sum, { errors, wrong }) => sum + errors + wrong, 0)
  return failed / rounds.reduce((sum, { operations }) => sum + Math.max(operations, 1), 0)
}

function isSame(a: Parameters, b: Parameters): boolean {
  return (
    a.payload === b.payload &&
    a.concurrency === b.concurrency &&
    a.processes === b.processes &&
    a.stored === b.stored &&
    a.rate === b.rate
  )
}

function metricOf(round: Round, metric: Metric): number | null | undefined {
  if (metric === 'p50') return percentile(round.latency, 50)
  if (metric === 'p99') return percentile(round.latency, 99)
  if (metric === 'p99FromCall')
    return round.latencyFromCall === undefined ? undefined : percentile(round.latencyFromCall, 99)
  return round[metric]
}

/** Returns a percentile of a histogram in milliseconds. */
function percentile(encoded: string, share: number): number {
  return decodeFromCompressedBase64(encoded).getValueAtPercentile(share) / 1000
}
