import type { Measurement } from '../results/results.ts'
import type { Step } from './closed-loop.ts'
import { Latencies } from './latencies.ts'
import type { Meter } from './meter.ts'
import { Tally } from './tally.ts'

export interface OpenLoopOptions {
  /** Operations per second. */
  rate: number
  /** In milliseconds. */
  duration: number
  size: number
}

/**
 * Runs an open loop: operations begin at a constant rate even if earlier ones are unanswered, as
 * visitors come. One latency counts from the intended start, another one from the call. A timer
 * starts the operations up to about a millisecond late, which is part of the latency.
 *
 * A store that falls behind gets as much time again. Operations without an answer by then count as
 * unanswered, with the time that they have waited.
 */
export async function openLoop(
  step: Step,
  { rate, duration, size }: OpenLoopOptions,
  meter: Meter,
): Promise<Measurement> {
  const interval = 1000 / rate
  const total = Math.floor(duration / interval)
  const latencies = new Latencies()
  const fromCall = new Latencies()
  const tally = new Tally()
  /** The intended start times of the unanswered calls. */
  const pending = new Set<number>()
  let begun = 0
  let answered = 0
  let over = false

  function begin(intended: number): void {
    const called = performance.now()
    pending.add(intended)
    step(begun++ % size, (error) => {
      pending.delete(intended)
      if (over) return
      if (error) tally.add(error)
      const now = performance.now()
      latencies.record(now - intended)
      fromCall.record(now - called)
      answered++
    })
  }

  await meter.startServer()
  meter.start()
  const start = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now()
      while (begun < total && start + begun * interval <= now) begin(start + begun * interval)
      if (answered < total && now - start < 2 * duration) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  over = true
  const end = performance.now()
  const operations = Math.max(answered, 1)
  const used = meter.stop(operations)
  const usedByServer = await meter.stopServer(operations)
  for (const intended of pending) latencies.record(end - intended)
  for (; begun < total; begun++) latencies.record(end - start - begun * interval)
  const seconds = (end - start) / 1000
  return {
    operations: answered,
    seconds,
    opsPerSecond: answered / seconds,
    latency: latencies.encoded(),
    latencyFromCall: fromCall.encoded(),
    unanswered: total - answered,
    ...tally.counts(),
    ...used,
    ...usedByServer,
  }
}
