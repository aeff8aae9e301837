import { decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { describe, expect, it } from 'vitest'
import { Latencies } from '../src/child/latencies.ts'
import { mergeMeasurements } from '../src/results/merge.ts'
import type { Measurement } from '../src/results/results.ts'

const measurement = (operations: number, latency: number, over: Partial<Measurement> = {}): Measurement => {
  const latencies = new Latencies()
  for (let index = 0; index < operations; index++) latencies.record(latency)
  return {
    ...{
      operations,
      seconds: 1,
      opsPerSecond: operations,
      latency: latencies.encoded(),
      errors: 0,
      wrong: 0,
    },
    ...{ roundTrips: 1, commands: 1, cpuApp: 10, cpuServer: 10, bytesIn: 1, bytesOut: 1 },
    ...{ rssPeak: 1, eventLoopDelayP99: 1 },
    ...over,
  }
}

describe('measurements of two passes', () => {
  it('are combined into one', () => {
    const one = mergeMeasurements(
      measurement(300, 1, { wrong: 1, failure: 'first', rssPeak: 5 }),
      measurement(100, 8, { cpuApp: 50, roundTrips: 3, errors: 2, failure: 'second', eventLoopDelayP99: 4 }),
    )
    expect(one).toMatchObject({
      ...{ operations: 400, seconds: 2, opsPerSecond: 200, cpuApp: 20, roundTrips: 1.5 },
      ...{ wrong: 1, errors: 2, failure: 'first', rssPeak: 5, eventLoopDelayP99: 4 },
    })
    const latencies = decodeFromCompressedBase64(one.latency)
    expect(latencies.totalCount).toBe(400)
    expect(latencies.getValueAtPercentile(70)).toBeCloseTo(1000, -2)
    expect(latencies.getValueAtPercentile(99)).toBeCloseTo(8000, -2)
  })

  it('have no figure if one of them has none', () => {
    expect(mergeMeasurements(measurement(1, 1), measurement(1, 1, { cpuServer: null })).cpuServer).toBeNull()
  })
})
