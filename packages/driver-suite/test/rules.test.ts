import assert from 'node:assert/strict'
import { memoryDriver } from '@session-stores/core'
import { driverSuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'

describe('all rules for any store, on a driver', () => {
  it('name those that the driver breaks', async () => {
    const checks: (() => Promise<void>)[] = []
    const runner = {
      describe: (_: string, body: () => void) => body(),
      it: (_: string, body: () => Promise<void>) => void checks.push(body),
    }
    const make = () => {
      const driver = { ...memoryDriver(), touch() {} }
      return { drivers: [driver, driver] as const }
    }
    driverSuite(runner, make, { only: ['conformance'] })
    await assert.rejects(checks[0]!(), ({ message }: Error) => {
      assert.match(message, /touch\/extends failed: .*touch\/shortens failed: /s)
      assert.doesNotMatch(message, /callbacks\//)
      return true
    })
  })
})
