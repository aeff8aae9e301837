import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { closedLoop } from '../src/child/closed-loop.ts'
import { Meter } from '../src/child/meter.ts'

const LANES = 16

describe('a closed loop', () => {
  it('measures operations correctly that take longer than the measurement', async () => {
    let waiting: (() => void)[] = []
    /** The times before and after the answers to all lanes. */
    const answers: [before: number, after: number][] = []
    const result = await closedLoop(
      (_, done) => {
        waiting.push(done)
        if (waiting.length < LANES) return
        setTimeout(() => {
          const before = performance.now()
          const answered = waiting
          waiting = []
          for (const done of answered) done()
          answers.push([before, performance.now()])
        }, 50)
      },
      { concurrency: LANES, warmUp: 1, duration: 10, size: LANES },
      new Meter(async () => null),
    )
    // Counting begins with the first answer of the last lane, and ends with its second one.
    const [first, second] = answers
    expect(result.operations).toBe(LANES)
    expect(result.opsPerSecond).toBeGreaterThanOrEqual((LANES * 1000) / (second![1] - first![0]))
    expect(result.opsPerSecond).toBeLessThanOrEqual((LANES * 1000) / (second![0] - first![1]))
  })

  it('queries the server while no operation is in flight, and divides its counts by all operations', async () => {
    let begun = 0
    let inFlight = 0
    const asked: number[] = []
    const result = await closedLoop(
      (_, done) => {
        begun++
        inFlight++
        setImmediate(() => {
          inFlight--
          done()
        })
      },
      { concurrency: LANES, warmUp: 20, duration: 20, size: LANES },
      // The server counts every operation and answers with a delay.
      new Meter(async () => {
        asked.push(inFlight)
        await sleep(20)
        return { roundTrips: begun, commands: 2 * begun, cpu: {} }
      }),
    )
    expect(asked).toEqual([0, 0])
    expect(result).toMatchObject({ roundTrips: 1, commands: 2 })
    expect(result.operations).toBeLessThan(begun)
  })
})
