import { type DriverBackend, driverSuite, everyRuleSuite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { memoryDriver } from '../src/memory.ts'

const runner = { describe, it }

function make(): DriverBackend {
  const driver = memoryDriver()
  return { drivers: [driver, driver], ownDatabase: true }
}

driverSuite(runner, make)
everyRuleSuite(runner, make)
