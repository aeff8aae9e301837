import { randomFrom } from '@session-stores/testbed/random'
import { describe, expect, it } from 'vitest'
import { isSettled, judge } from '../src/soak/result.ts'
import { estimateSlope } from '../src/soak/slope.ts'

type Point = readonly [number, number]

/** Returns normal noise, each value of which keeps a share of the one before. */
function noise(seed: number, count: number, share = 0): number[] {
  const random = randomFrom(seed)
  let last = 0
  return Array.from({ length: count }, () => {
    const fresh = Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random())
    last = share * last + fresh
    return last
  })
}

const series = (values: readonly number[]): Point[] => values.map((value, i) => [i, value])

describe('the slope of a measure', () => {
  it('is the median of the slopes of all pairs', () => {
    // The pairs have the slopes 1, 1, 3, 1, 4 and 7.
    expect(
      estimateSlope([
        [0, 0],
        [1, 1],
        [2, 2],
        [3, 9],
      ]).slope,
    ).toBe(2)
  })

  it('is exact for a line, whatever single samples say', () => {
    const points = series(Array.from({ length: 40 }, (_, i) => 3 + 2 * i + (i === 20 ? 1e6 : 0)))
    const { slope, low, high } = estimateSlope(points)
    expect(slope).toBeCloseTo(2)
    expect(low).toBeCloseTo(2)
    expect(high).toBeCloseTo(2)
  })

  it('of a constant is zero, with an interval of zero', () => {
    expect(estimateSlope(series(Array(40).fill(7)))).toEqual({ slope: 0, low: 0, high: 0 })
  })

  it('has no bounds where there are too few samples', () => {
    expect(estimateSlope(series([1, 2, 3]))).toMatchObject({ low: null, high: null })
  })

  it.each([0, 0.5])('holds zero in 99 of 100 series of noise of which neighbours share %s', (share) => {
    let missed = 0
    for (let seed = 1; seed <= 500; seed++) {
      const { low, high } = estimateSlope(series(noise(seed, 40, share)))
      if (low! > 0 || high! < 0) missed++
    }
    expect(missed).toBeLessThanOrEqual(15)
  })

  it('shows a growth beneath noise', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const { low } = estimateSlope(series(noise(seed, 40, 0.3).map((value, i) => value + 0.3 * i)))
      expect(low).toBeGreaterThan(0)
    }
  })
})

describe('the judgement', () => {
  const samples = (size: (i: number) => Record<string, number>, step = 100_000) =>
    Array.from({ length: 40 }, (_, i) => ({ requests: (i + 1) * step, at: i * 10_000, sizes: size(i) }))
  const growthOf = (name: string, ...args: Parameters<typeof samples>) =>
    judge(samples(...args), 60_000).find((measure) => measure.name === name)?.growth

  it('calls a measure level that is, and one that grows growing', () => {
    expect(growthOf('entries', () => ({ entries: 150 }))).toBe('level')
    expect(growthOf('entries', (i) => ({ entries: 150 + 1000 * i }))).toBe('grows')
    expect(growthOf('entries', (i) => ({ entries: 150_000 - 1000 * i }))).toBe('falls')
  })

  it('leaves the warm-up out', () => {
    expect(growthOf('entries', (i) => ({ entries: i < 11 ? i * 1000 : 11_000 }))).toBe('level')
  })

  it('says nothing about bytes before the engine has settled', () => {
    const heap = (i: number) => ({ heap: i * 1e6 })
    expect(growthOf('heap', heap)).toBe('grows')
    expect(growthOf('heap', heap, 1000)).toBe('not judged')
  })

  it('has enough samples for the rows only after they have settled', () => {
    const all = samples(() => ({ rows: 1 }))
    const lastTwelve = all[28]!.at
    expect(isSettled(all, lastTwelve)).toBe(true)
    expect(isSettled(all, lastTwelve + 1)).toBe(false)
    expect(judge(all, lastTwelve)[0]!.growth).toBe('level')
    expect(judge(all, lastTwelve + 1)[0]!.growth).toBe('not judged')
  })

  it('has nothing to say about what was not measured', () => {
    expect(growthOf('connections', () => ({ entries: 1 }))).toBeUndefined()
  })
})
