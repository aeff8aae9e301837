import { Latencies } from '../../src/child/latencies.ts'
import type { Cell, Round, Run } from '../../src/results/results.ts'

/** Makes a round with this many operations per second. */
function roundOf(round: number, opsPerSecond: number): Round {
  const latencies = new Latencies()
  latencies.record(1000 / opsPerSecond)
  return {
    ...{ round, opsPerSecond, operations: opsPerSecond, seconds: 1, latency: latencies.encoded() },
    ...{ errors: 0, wrong: 0, roundTrips: null, commands: null, cpuApp: 1, cpuServer: null },
    ...{ bytesOut: 0, bytesIn: 0, rssPeak: 1, eventLoopDelayP99: 0 },
  }
}

/** Makes a run of only the controls, with these figures by round. */
export function controlsRun(a: readonly number[], b: readonly number[]): Run {
  const cell = (subject: string, values: readonly number[]): Cell => ({
    ...{ scenario: 'control', operation: 'lookup', subject },
    parameters: { payload: 200, concurrency: 32, stored: 1000 },
    rounds: values.map((value, index) => roundOf(index + 1, value)),
  })
  return {
    ...{ schema: 1, started: '2026-01-01T00:00:00Z', ended: '2026-01-01T00:01:00Z', command: 'bench' },
    ...{ complete: true, quick: false, rounds: a.length, roundsDone: a.length },
    environment: { cpu: 'none', cores: 2, memory: 2 ** 30, kernel: 'none', node: '24', loadBefore: 0 },
    ...{ servers: [], subjects: [], scenarios: [], expiry: [], reclaim: [], missing: [] },
    cells: [cell('control-a', a), cell('control-b', b)],
  }
}
