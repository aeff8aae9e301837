import assert from 'node:assert/strict'
import { describe, it } from 'vitest'
import { noiseOf } from '../src/results/noise.ts'
import { controlsRun } from './support/runs.ts'

const steady = [1000, 1010, 990, 1005, 995, 1002, 998, 1001, 999, 1003]
const mirrored = steady.toReversed()

describe('the controls', () => {
  it('are quiet if neither is always faster', () => {
    assert.equal(noiseOf(controlsRun(steady, mirrored)).verdict, 'quiet')
  })

  it('are too noisy if one is always faster', () => {
    const { verdict, text } = noiseOf(
      controlsRun(
        steady,
        steady.map((x) => x * 1.03),
      ),
    )
    assert.equal(verdict, 'too noisy')
    assert.match(text, /differs from itself/)
  })

  it('are too noisy if their medians are far apart, even if that may be chance', () => {
    const wild = steady.map((x, index) => (index < 2 ? x * 0.5 : x * 1.3))
    const { verdict, text } = noiseOf(controlsRun(steady, wild))
    assert.equal(verdict, 'too noisy')
    assert.match(text, /lie up to 30\.0% apart/)
  })

  it('prove nothing in a few rounds', () => {
    assert.equal(noiseOf(controlsRun([1000, 1001], [1001, 1000])).verdict, 'unknown')
  })
})
