import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { estimate, ratio } from '../src/results/statistics.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const byRound = (values: readonly number[]) => new Map(values.map((value, index) => [index + 1, value]))

describe('a median and its interval', () => {
  // As tables of the sign test have it at 95%.
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

  it('holds the true median in 97.9% of all samples of ten, whatever the values are spread like', () => {
    // Each value lies below the true median, which is 0 here, or above it, with the same chance.
    const samples = Array.from({ length: 2 ** 10 }, (_, bits) =>
      upTo(10).map((value) => ((bits >> (value - 1)) & 1 ? value : -value)),
    )
    const holding = samples.map((sample) => estimate(sample)!).filter(({ low, high }) => low < 0 && 0 < high)
    // All but those with at most one value on one of the sides: 2 (1 + 10) of them.
    assert.equal(holding.length, 1024 - 22)
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
