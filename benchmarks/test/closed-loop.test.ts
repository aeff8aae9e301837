import { setTimeout as sleep } from 'node:timers/promises'
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

  it('asks what the server did while nothing is under way, and divides it by all that was begun', async () => {
    let begun = 0
    let underWay = 0
    const asked: number[] = []
    const result = await closedLoop(
      (_, done) => {
        begun++
        underWay++
        setImmediate(() => {
          underWay--
          done()
        })
      },
      { concurrency: LANES, warmUp: 20, duration: 20, size: LANES },
      // The server counts every operation, and is a while in answering.
      new Meter(async () => {
        asked.push(underWay)
        await sleep(20)
        return { roundTrips: begun, commands: 2 * begun, cpu: {} }
      }),
    )
    expect(asked).toEqual([0, 0])
    expect(result).toMatchObject({ roundTrips: 1, commands: 2 })
    expect(result.operations).toBeLessThan(begun)
  })
})
