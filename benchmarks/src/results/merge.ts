import { decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'
import type { Measurement } from './results.ts'

/** Combines two measurements of the same point into one. */
export function mergeMeasurements(a: Measurement, b: Measurement): Measurement {
  const [operations, seconds] = [a.operations + b.operations, a.seconds + b.seconds]
  const mean = (one: number, other: number) =>
    operations === 0 ? 0 : (one * a.operations + other * b.operations) / operations
  const meanOrNull = (one: number | null, other: number | null) =>
    one === null || other === null ? null : mean(one, other)
  return {
    ...{ operations, seconds, opsPerSecond: operations / seconds },
    latency: both(a.latency, b.latency),
    ...(a.latencyFromCall &&
      b.latencyFromCall && { latencyFromCall: both(a.latencyFromCall, b.latencyFromCall) }),
    ...{ errors: a.errors + b.errors, wrong: a.wrong + b.wrong, failure: a.failure ?? b.failure },
    ...(a.unanswered !== undefined && { unanswered: a.unanswered + (b.unanswered ?? 0) }),
    roundTrips: meanOrNull(a.roundTrips, b.roundTrips),
    commands: meanOrNull(a.commands, b.commands),
    cpuApp: mean(a.cpuApp, b.cpuApp),
    cpuServer: meanOrNull(a.cpuServer, b.cpuServer),
    bytesOut: mean(a.bytesOut, b.bytesOut),
    bytesIn: mean(a.bytesIn, b.bytesIn),
    rssPeak: Math.max(a.rssPeak, b.rssPeak),
    eventLoopDelayP99: Math.max(a.eventLoopDelayP99, b.eventLoopDelayP99),
  }
}

/** Adds up the measurements of processes that worked at the same time. */
export function addProcesses(measurements: readonly Measurement[]): Measurement {
  const sum = (field: 'opsPerSecond' | 'rssPeak') =>
    measurements.reduce((all, measurement) => all + measurement[field], 0)
  const [opsPerSecond, rssPeak] = [sum('opsPerSecond'), sum('rssPeak')]
  const merged = measurements.reduce(mergeMeasurements)
  return { ...merged, opsPerSecond, seconds: merged.operations / opsPerSecond, rssPeak }
}

function both(one: string, other: string): string {
  const sum = decodeFromCompressedBase64(one) as Histogram
  sum.add(decodeFromCompressedBase64(other) as Histogram)
  return encodeIntoCompressedBase64(sum)
}
