import { memoryDriver } from '@session-stores/core'
import { driverSuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'

function make() {
  const driver = memoryDriver()
  return { drivers: [driver, driver] as const, ownDatabase: true }
}

// No other process reaches what is in this one's memory.
driverSuite({ describe, it }, make, { only: ['contract', 'policy', 'http', 'races', 'conformance'] })
