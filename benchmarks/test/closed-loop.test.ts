import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { closedLoop } from '../src/child/closed-loop.ts'
import { Meter } from '../src/child/meter.ts'

const LANES = 16

describe('a closed loop', () => {
  it('measures right what takes longer than it lasts', async () => {
    let waiting: (() => void)[] = []
    const clumps: number[] = []
    const result = await closedLoop(
      (_, done) => {
        waiting.push(done)
        if (waiting.length < LANES) return
        setTimeout(() => {
          clumps.push(performance.now())
          const answered = waiting
          waiting = []
          for (const done of answered) done()
        }, 50)
      },
      { concurrency: LANES, warmUp: 1, duration: 10, size: LANES },
      new Meter(async () => null),
    )
    const real = (LANES * 1000) / (clumps[1]! - clumps[0]!)
    expect(result.operations).toBeGreaterThanOrEqual(LANES)
    expect(result.opsPerSecond / real).toBeGreaterThan(0.6)
    expect(result.opsPerSecond / real).toBeLessThan(1.6)
  })

  it('asks what the server did while the operations that it counts are done', async () => {
    const asked: number[] = []
    let begun = 0
    const result = await closedLoop(
      (_, done) => {
        begun++
        setImmediate().then(() => done())
      },
      { concurrency: LANES, warmUp: 20, duration: 20, size: LANES },
      // The server counts every operation. Its answers come later than the loop would end, and while it goes on.
      new Meter(async () => {
        const roundTrips = begun
        asked.push(roundTrips)
        const end = performance.now() + 40
        while (performance.now() < end || begun <= roundTrips + LANES) await setImmediate()
        return { roundTrips, commands: 0, cpu: {} }
      }),
    )
    expect(asked).toHaveLength(2)
    expect(asked[0]).toBeGreaterThanOrEqual(LANES)
    // At most all lanes more, or less.
    expect(Math.abs(result.roundTrips! - 1) * result.operations).toBeLessThanOrEqual(LANES)
  })
})
