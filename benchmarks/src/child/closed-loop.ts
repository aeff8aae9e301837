import type { Measurement } from '../results/results.ts'
import { Latencies } from './latencies.ts'
import type { Meter, ServerCosts } from './meter.ts'
import { Tally } from './tally.ts'

/** One operation on the session at this position; `done` with an error if it failed or the answer was wrong. */
export type Step = (position: number, done: (error?: unknown) => void) => void

export interface ClosedLoopOptions {
  concurrency: number
  /** Milliseconds before it counts; longer where not every lane has been answered by then. */
  warmUp: number
  /** Milliseconds for which it counts; longer where fewer operations than there are lanes have been answered by then. */
  duration: number
  /** Positions go from 0 to `size`; those in flight are always distinct. */
  size: number
}

/** What is known when it has stopped counting; what the server did comes after the last answer. */
type Counted = Omit<Measurement, keyof ServerCosts>

/** What is still unanswered so long after everything should be over, in milliseconds, is lost. */
const GRACE = 30_000

/**
 * A closed loop: `concurrency` lanes, each with one operation at a time. A lane that is answered starts again
 * in the next turn of the event loop, whatever the store is: one that calls back synchronously would
 * otherwise never let go of the stack, and would be spared the event loop that every request goes through.
 * A lane's latency counts from its answer to its next one, so that waiting for the others' turn is part of it.
 *
 * The loop runs before it counts, so that what is on its way at either end stands for the other: a slow store may
 * take longer for its first answers than is measured at all.
 */
export async function closedLoop(
  step: Step,
  { concurrency, warmUp, duration, size }: ClosedLoopOptions,
  meter: Meter,
): Promise<Measurement> {
  if (size < concurrency)
    throw new Error(`${size} sessions are too few for ${concurrency} operations at once`)
  await meter.startServer()
  return new Promise((resolve, reject) => {
    const limit = size - (size % concurrency)
    const latencies = new Latencies()
    const tally = new Tally()
    let ready: Lane[] = []
    let scheduled = false
    let inFlight = 0
    /** Lanes that have no answer yet. */
    let waiting = concurrency
    let operations = 0
    /** With those that do not count: the server counts all. */
    let begun = 0
    let start: number | undefined
    let result: Counted | undefined

    const opened = performance.now()
    const lost = setTimeout(
      () => reject(new Error('an operation was never answered')),
      warmUp + duration + GRACE,
    )

    function pump(): void {
      scheduled = false
      const lanes = ready
      ready = []
      for (const lane of lanes) {
        if (result) break
        begun++
        inFlight++
        step(lane.position, lane.done)
      }
    }

    function answered(lane: Lane, error: unknown): void {
      inFlight--
      if (result) return end(result)
      const now = performance.now()
      if (start === undefined) warm(lane, now)
      else record(now, start, now - lane.since, error)
      lane.since = now
      lane.position += concurrency
      if (lane.position >= limit) lane.position -= limit
      ready.push(lane)
      schedule()
    }

    function warm(lane: Lane, now: number): void {
      if (!lane.isAnswered) waiting--
      lane.isAnswered = true
      if (waiting > 0 || now - opened < warmUp) return
      start = now
      meter.start()
    }

    function record(now: number, start: number, latency: number, error: unknown): void {
      if (error) tally.add(error)
      latencies.record(latency)
      operations++
      if (now - start < duration || operations < concurrency) return
      const used = meter.stop(operations)
      const seconds = (now - start) / 1000
      const opsPerSecond = operations / seconds
      result = { operations, seconds, opsPerSecond, latency: latencies.encoded(), ...tally.counts(), ...used }
      end(result)
    }

    function end(result: Counted): void {
      if (inFlight > 0) return
      clearTimeout(lost)
      meter.stopServer(begun).then((used) => resolve({ ...result, ...used }), reject)
    }

    function schedule(): void {
      if (scheduled) return
      scheduled = true
      setImmediate(pump)
    }

    for (let position = 0; position < concurrency; position++)
      ready.push(new Lane(position, opened, answered))
    schedule()
  })
}

class Lane {
  position: number
  since: number
  isAnswered = false
  readonly done: (error?: unknown) => void

  constructor(position: number, since: number, answered: (lane: Lane, error: unknown) => void) {
    this.position = position
    this.since = since
    this.done = (error) => answered(this, error)
  }
}
