import type { Measurement } from '../results/results.ts'
import { Latencies } from './latencies.ts'
import type { Meter, ServerCosts } from './meter.ts'
import { Tally } from './tally.ts'

/**
 * Performs one operation on the session at this position. Calls `done` with an error if the
 * operation failed or the answer was wrong.
 */
export type Step = (position: number, done: (error?: unknown) => void) => void

export interface ClosedLoopOptions {
  concurrency: number
  /** Milliseconds before counting starts. The warm-up is longer if a lane has no answer by then. */
  warmUp: number
  /** Milliseconds of counting. Counting is longer if there are fewer answers than lanes by then. */
  duration: number
  /** Positions go from 0 to `size`. Positions in flight are always distinct. */
  size: number
  /**
   * The times of `performance.now()` between which answers count, in place of `warmUp` and `duration`.
   * Several processes that work together share them.
   */
  window?: { from: number; until: number }
}

/** The results of counting. The server's costs are added after the last answer. */
type Counted = Omit<Measurement, keyof ServerCosts>

/** How long after the expected end an operation may stay unanswered, in milliseconds. */
const GRACE = 30_000

/**
 * Runs a closed loop: `concurrency` lanes with one operation at a time each.
 *
 * An answered lane starts again in the next turn of the event loop. Otherwise a store that calls
 * back synchronously would never release the stack, and it would avoid the event loop that every
 * request goes through. The latency of a lane counts from its previous answer, so that it includes
 * the wait for the turns of other lanes.
 *
 * The loop runs before it counts, so that operations in flight at the start stand for those in
 * flight at the end. A slow store may need longer for its first answers than the whole measurement
 * takes.
 */
export async function closedLoop(step: Step, options: ClosedLoopOptions, meter: Meter): Promise<Measurement> {
  const { size, concurrency } = options
  if (size < concurrency)
    throw new Error(`${size} sessions are too few for ${concurrency} operations at once`)
  await meter.startServer()
  return new ClosedLoop(step, options, meter).run()
}

class ClosedLoop {
  readonly #step: Step
  readonly #options: ClosedLoopOptions
  readonly #meter: Meter
  readonly #result = Promise.withResolvers<Measurement>()
  readonly #latencies = new Latencies()
  readonly #tally = new Tally()
  readonly #opened = performance.now()
  /** Positions that are a whole number of turns of all lanes. */
  readonly #limit: number
  #ready: Lane[] = []
  #isScheduled = false
  #inFlight = 0
  /** Lanes without any answer so far. */
  #waiting: number
  #operations = 0
  /** Operations including those that do not count, because the server counts all. */
  #begun = 0
  #start: number | undefined
  #counted: Counted | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(step: Step, options: ClosedLoopOptions, meter: Meter) {
    this.#step = step
    this.#options = options
    this.#meter = meter
    this.#waiting = options.concurrency
    this.#limit = options.size - (options.size % options.concurrency)
  }

  run(): Promise<Measurement> {
    const { concurrency, warmUp, duration } = this.#options
    this.#timer = setTimeout(
      () => this.#result.reject(new Error('an operation was never answered')),
      warmUp + duration + GRACE,
    )
    for (let position = 0; position < concurrency; position++)
      this.#ready.push(new Lane(position, this.#opened, this.#answer))
    this.#schedule()
    return this.#result.promise
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#pump)
  }

  readonly #pump = (): void => {
    this.#isScheduled = false
    const lanes = this.#ready
    this.#ready = []
    for (const lane of lanes) {
      if (this.#counted) break
      this.#begun++
      this.#inFlight++
      this.#step(lane.position, lane.done)
    }
  }

  readonly #answer = (lane: Lane, error: unknown): void => {
    this.#inFlight--
    if (this.#counted) return this.#end(this.#counted)
    const now = performance.now()
    if (this.#start === undefined) this.#warm(lane, now)
    else this.#record(now, this.#start, now - lane.since, error)
    lane.since = now
    lane.position += this.#options.concurrency
    if (lane.position >= this.#limit) lane.position -= this.#limit
    this.#ready.push(lane)
    this.#schedule()
  }

  #warm(lane: Lane, now: number): void {
    if (!lane.isAnswered) this.#waiting--
    lane.isAnswered = true
    if (!this.#isWarm(now)) return
    this.#start = now
    this.#meter.start()
  }

  #isWarm(now: number): boolean {
    const { window, warmUp } = this.#options
    return window ? now >= window.from : this.#waiting === 0 && now - this.#opened >= warmUp
  }

  #isOver(now: number, start: number, operations: number): boolean {
    const { window, duration, concurrency } = this.#options
    return window ? now >= window.until : now - start >= duration && operations >= concurrency
  }

  #record(now: number, start: number, latency: number, error: unknown): void {
    if (error) this.#tally.add(error)
    this.#latencies.record(latency)
    const operations = ++this.#operations
    if (!this.#isOver(now, start, operations)) return
    const used = this.#meter.stop(operations)
    const seconds = (now - start) / 1000
    this.#counted = {
      ...{ operations, seconds, opsPerSecond: operations / seconds, latency: this.#latencies.encoded() },
      ...this.#tally.counts(),
      ...used,
    }
    this.#end(this.#counted)
  }

  #end(counted: Counted): void {
    if (this.#inFlight > 0) return
    clearTimeout(this.#timer)
    this.#meter
      .stopServer(this.#begun)
      .then((used) => this.#result.resolve({ ...counted, ...used }), this.#result.reject)
  }
}

class Lane {
  position: number
  /** The time of the previous answer. */
  since: number
  isAnswered = false
  readonly done: (error?: unknown) => void

  constructor(position: number, since: number, answer: (lane: Lane, error: unknown) => void) {
    this.position = position
    this.since = since
    this.done = (error) => answer(this, error)
  }
}
