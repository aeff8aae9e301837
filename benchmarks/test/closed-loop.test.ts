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
    const between = (clumps.at(-1)! - clumps[0]!) / (clumps.length - 1)
    const real = (LANES * 1000) / between
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
        setImmediate(done)
      },
      { concurrency: LANES, warmUp: 20, duration: 20, size: LANES },
      // The server counts every operation, and is a while in answering.
      new Meter(async () => {
        asked.push(begun)
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { roundTrips: asked.at(-1)!, commands: 0, cpu: {} }
      }),
    )
    expect(asked).toHaveLength(2)
    expect(asked[0]).toBeGreaterThan(LANES)
    expect(begun).toBeGreaterThan(asked[1]!)
    // At most all lanes more, or less.
    expect(Math.abs(result.roundTrips! - 1) * result.operations).toBeLessThanOrEqual(LANES)
  })
})
