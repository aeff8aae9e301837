import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { estimate, ratio } from '../src/statistics.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const byRound = (values: readonly number[]) => new Map(values.map((value, index) => [index + 1, value]))

describe('a median and its interval', () => {
  // Table A of Conover, Practical Nonparametric Statistics: the sign test's order statistics at 95%.
  for (const [count, low, high] of [
    [6, 1, 6],
    [8, 1, 8],
    [9, 2, 8],
    [10, 2, 9],
    [20, 6, 15],
    [30, 10, 21],
  ] as const)
    it(`of ${count} values goes from the ${low}th to the ${high}th`, () => {
      const { low: from, high: to, sure } = estimate(upTo(count))!
      assert.deepEqual({ from, to, sure }, { from: low, to: high, sure: true })
    })

  it('of fewer than six is not sure, and says so with all of their range', () => {
    assert.deepEqual(estimate([3, 1, 2]), { median: 2, low: 1, high: 3, sure: false, count: 3 })
  })

  it('of an even number lies between the two in the middle', () =>
    assert.equal(estimate([4, 1, 3, 2])!.median, 2.5))

  it('of nothing is nothing', () => assert.equal(estimate([]), undefined))

  it('holds the true median as often as it says, whatever the values are spread like', () => {
    const random = seeded(7)
    const tries = 4000
    let held = 0
    for (let i = 0; i < tries; i++) {
      // Exponential: far from symmetric; its median is ln 2.
      const { low, high } = estimate(Array.from({ length: 10 }, () => -Math.log(1 - random())))!
      if (low <= Math.LN2 && Math.LN2 <= high) held++
    }
    // 97.9% of samples of ten; 4,000 tries are within half a percent of it.
    assert.ok(Math.abs(held / tries - 0.9785) < 0.008, `${held} of ${tries}`)
  })
})

describe('a ratio', () => {
  it('is taken round by round: what slows both down changes nothing', () => {
    const drift = [1, 3, 2, 10, 5, 4, 8, 7]
    const result = ratio(byRound(drift.map((x) => 2 * x)), byRound(drift))!
    assert.deepEqual([result.median, result.low, result.high, result.significant], [2, 2, 2, true])
  })

  it('is no difference where its interval holds 1', () => {
    const result = ratio(byRound([1, 2, 1, 2, 1, 2, 1, 2]), byRound([2, 1, 2, 1, 2, 1, 2, 1]))!
    assert.equal(result.significant, false)
  })

  it('is no difference with too few rounds, however large', () => {
    assert.equal(ratio(byRound([100, 100]), byRound([1, 1]))!.significant, false)
  })

  it('leaves out rounds that only one of them has', () => {
    assert.equal(ratio(byRound([2, 2, 2]), byRound([1, 1]))!.count, 2)
  })
})

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
