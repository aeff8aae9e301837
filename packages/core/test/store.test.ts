import { storeSuite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { memoryDriver } from '../src/memory.ts'

storeSuite({ describe, it }, () => {
  const driver = memoryDriver()
  return { drivers: [driver, driver] }
})
