/** One operation on the session at this position; `done` with an error if it failed or the answer was wrong. */
export type Step = (position: number, done: (error?: unknown) => void) => void

export interface LoopOptions {
  concurrency: number
  /** Milliseconds. */
  duration: number
  /** Positions go from 0 to `size`; those in flight are always distinct. */
  size: number
}

interface Summary {
  /** Operations a second. */
  rate: number
  /** Microseconds of this process's CPU time an operation, all threads. */
  cpu: number
  /** Milliseconds. */
  p50: number
  p99: number
}

export interface Measurement extends Summary {
  errors: number
  /** The first error. */
  failure?: string
}

/** The latencies of the last million operations; more are not kept. */
const latencies = new Float64Array(1 << 20)

/** What is still unanswered this long after the end, in milliseconds, is lost. */
const GRACE = 30_000

/**
 * A closed loop: `concurrency` lanes, each with one operation at a time. A lane that is answered starts again
 * in the next turn of the event loop, whatever the store is: one that calls back synchronously would
 * otherwise never let go of the stack, and would be spared the event loop that every request goes through.
 * A lane's latency counts from its answer to its next one, so that waiting for the others' turn is part of it.
 */
export function run(step: Step, { concurrency, duration, size }: LoopOptions): Promise<Measurement> {
  return new Promise((resolve, reject) => {
    const limit = size - (size % concurrency)
    let ready: Lane[] = []
    let scheduled = false
    let operations = 0
    let errors = 0
    let failure: string | undefined
    let inFlight = 0
    let over: Summary | undefined

    const lost = setTimeout(() => reject(new Error('an operation was never answered')), duration + GRACE)
    const cpu = process.cpuUsage()
    const start = performance.now()

    function pump(): void {
      scheduled = false
      const lanes = ready
      ready = []
      for (const lane of lanes) {
        if (over) return
        inFlight++
        step(lane.position, lane.done)
      }
    }

    function answered(lane: Lane, error: unknown): void {
      inFlight--
      if (error) {
        errors++
        failure ??= String(error)
      }
      if (!over) record(lane)
      if (over && inFlight === 0) {
        clearTimeout(lost)
        resolve({ ...over, errors, failure })
      }
    }

    function record(lane: Lane): void {
      const now = performance.now()
      latencies[operations++ % latencies.length] = now - lane.since
      if (now - start >= duration) {
        over = summary(now)
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

    function summary(now: number): Summary {
      const { user, system } = process.cpuUsage(cpu)
      const sorted = latencies.subarray(0, Math.min(operations, latencies.length)).toSorted()
      return {
        rate: (operations * 1000) / (now - start),
        cpu: (user + system) / operations,
        p50: sorted[Math.floor(sorted.length * 0.5)]!,
        p99: sorted[Math.floor(sorted.length * 0.99)]!,
      }
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
