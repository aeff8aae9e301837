import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { estimate, ratio } from '../src/results/statistics.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
const byRound = (values: readonly number[]) => new Map(values.map((value, index) => [index + 1, value]))

describe('a median and its interval', () => {
  // The expected values come from tables of the sign test at 95%.
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

  it('of fewer than six values is not sure and is the whole range', () => {
    assert.deepEqual(estimate([3, 1, 2]), { median: 2, low: 1, high: 3, sure: false, count: 3 })
  })

  it('of an even number of values lies between the two in the middle', () =>
    assert.equal(estimate([4, 1, 3, 2])!.median, 2.5))

  it('of no values is undefined', () => assert.equal(estimate([]), undefined))

  it('contains the true median in 97.9% of all samples of ten, for any distribution', () => {
    // Each value is below or above the true median, which is 0 here, with equal chance.
    const samples = Array.from({ length: 2 ** 10 }, (_, bits) =>
      upTo(10).map((value) => ((bits >> (value - 1)) & 1 ? value : -value)),
    )
    const holding = samples.map((sample) => estimate(sample)!).filter(({ low, high }) => low < 0 && 0 < high)
    // Samples with at most one value on one side are the exception: 2 (1 + 10) of them.
    assert.equal(holding.length, 1024 - 22)
  })
})

describe('a ratio', () => {
  it('is computed round by round, so that a disturbance of both changes nothing', () => {
    const drift = [1, 3, 2, 10, 5, 4, 8, 7]
    const result = ratio(byRound(drift.map((x) => 2 * x)), byRound(drift))!
    assert.deepEqual([result.median, result.low, result.high, result.significant], [2, 2, 2, true])
  })

  it('is not significant if its interval contains 1', () => {
    const result = ratio(byRound([1, 2, 1, 2, 1, 2, 1, 2]), byRound([2, 1, 2, 1, 2, 1, 2, 1]))!
    assert.equal(result.significant, false)
  })

  it('is not significant with too few rounds, however large it is', () => {
    assert.equal(ratio(byRound([100, 100]), byRound([1, 1]))!.significant, false)
  })

  it('omits rounds that only one subject has', () => {
    assert.equal(ratio(byRound([2, 2, 2]), byRound([1, 1]))!.count, 2)
  })
})
