import { memoryDriver } from '@session-stores/core'
import { driverSuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'

function make() {
  const driver = memoryDriver()
  return { drivers: [driver, driver] as const, ownDatabase: true }
}

// `process-races` is left out, because another process cannot reach the memory of this one.
driverSuite({ describe, it }, make, { only: ['contract', 'policy', 'http', 'races', 'conformance'] })
