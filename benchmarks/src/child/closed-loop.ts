import type { Measurement } from '../results.ts'
import { Latencies } from './latencies.ts'
import type { Costs, Meter } from './meter.ts'
import { Tally } from './tally.ts'

/** One operation on the session at this position; `done` with an error if it failed or the answer was wrong. */
export type Step = (position: number, done: (error?: unknown) => void) => void

export interface ClosedLoopOptions {
  concurrency: number
  /** Milliseconds. */
  duration: number
  /** Positions go from 0 to `size`; those in flight are always distinct. */
  size: number
}

/** What is still unanswered this long after the end, in milliseconds, is lost. */
const GRACE = 30_000

/**
 * A closed loop: `concurrency` lanes, each with one operation at a time. A lane that is answered starts again
 * in the next turn of the event loop, whatever the store is: one that calls back synchronously would
 * otherwise never let go of the stack, and would be spared the event loop that every request goes through.
 * A lane's latency counts from its answer to its next one, so that waiting for the others' turn is part of it.
 */
export async function closedLoop(
  step: Step,
  { concurrency, duration, size }: ClosedLoopOptions,
  meter: Meter,
): Promise<Measurement> {
  if (size < concurrency)
    throw new Error(`${size} sessions are too few for ${concurrency} operations at once`)
  await meter.start()
  return new Promise((resolve, reject) => {
    const limit = size - (size % concurrency)
    const latencies = new Latencies()
    const tally = new Tally()
    let ready: Lane[] = []
    let scheduled = false
    let operations = 0
    let inFlight = 0
    let seconds = 0
    let costs: Promise<Costs> | undefined

    const lost = setTimeout(() => reject(new Error('an operation was never answered')), duration + GRACE)
    const start = performance.now()

    function pump(): void {
      scheduled = false
      const lanes = ready
      ready = []
      for (const lane of lanes) {
        if (costs) return
        inFlight++
        step(lane.position, lane.done)
      }
    }

    function answered(lane: Lane, error: unknown): void {
      inFlight--
      if (error) tally.add(error)
      if (!costs) record(lane)
      if (costs && inFlight === 0) {
        clearTimeout(lost)
        costs.then((used) => {
          const opsPerSecond = operations / seconds
          const latency = latencies.encoded()
          resolve({ operations, seconds, opsPerSecond, latency, ...tally.counts(), ...used })
        }, reject)
      }
    }

    function record(lane: Lane): void {
      const now = performance.now()
      latencies.record(now - lane.since)
      operations++
      if (now - start >= duration) {
        seconds = (now - start) / 1000
        costs = meter.stop(operations)
        return
      }
      lane.since = now
      lane.position += concurrency
      if (lane.position >= limit) lane.position -= limit
      ready.push(lane)
      schedule()
    }

    function schedule(): void {
      if (scheduled) return
      scheduled = true
      setImmediate(pump)
    }

    for (let position = 0; position < concurrency; position++) ready.push(new Lane(position, start, answered))
    schedule()
  })
}

class Lane {
  position: number
  since: number
  readonly done: (error?: unknown) => void

  constructor(position: number, since: number, answered: (lane: Lane, error: unknown) => void) {
    this.position = position
    this.since = since
    this.done = (error) => answered(this, error)
  }
}
