import { randomFrom } from '@session-stores/testbed'
import { describe, expect, test } from 'vitest'
import { quantile, runTabs, runTheft } from '../src/rotation/model.ts'
import { proposed, rules } from '../src/rotation/rules.ts'
import { PACE, RUNS, SPREADS, scenarios } from '../src/rotation/scenarios.ts'

/** The rule of refresh tokens in a model; docs/generated/refresh-rotation.md has the other rules. */

describe.each(Object.entries(scenarios))('%s', (_name, scenario) => {
  test(`in ${RUNS} runs nobody is signed out, and no generation is accepted that is older than the last one`, () => {
    const random = randomFrom(7)
    let signedOut = 0
    let oldest = 0
    for (let i = 0; i < RUNS; i++) {
      const run = runTabs(proposed, scenario, random)
      if (run.isSignedOut) signedOut++
      oldest = Math.max(oldest, run.oldest)
    }
    expect(signedOut).toBe(0)
    expect(oldest).toBe(1)
  })

  test('the model finds a rule that signs people out', () => {
    const random = randomFrom(7)
    expect(Array.from({ length: 100 }, () => runTabs(rules[0]!, scenario, random).isSignedOut)).toContain(
      true,
    )
  })
})

test('a thief at the pace of the client is noticed within five minutes, as a rule', () => {
  const random = randomFrom(7)
  const times = Array.from({ length: RUNS }, () => runTheft(proposed, PACE, SPREADS.irregular, random))
  expect(quantile(times, 0.5)).toBeLessThanOrEqual(300_000)
  expect(quantile(times, 0.95)).toBeLessThanOrEqual(2_000_000)
})
