import assert from 'node:assert/strict'
import { memoryDriver } from '@session-stores/core'
import { driverSuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'
import { collectTests } from './support/runner.ts'

describe('the test of all conformance rules', () => {
  it('names the rules that the driver breaks', async () => {
    const make = () => {
      const mutant = { ...memoryDriver(), touch() {} }
      return { drivers: [mutant, mutant] as const }
    }
    const [test] = collectTests((runner) => driverSuite(runner, make, { only: ['conformance'] })).values()
    await assert.rejects(test!(), ({ message }: Error) => {
      assert.match(message, /touch\/extends failed: .*touch\/shortens failed: /s)
      assert.doesNotMatch(message, /callbacks\//)
      return true
    })
  })
})
