import { expressSuite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { memoryDriver } from '../src/memory.ts'

expressSuite({ describe, it }, () => {
  const driver = memoryDriver()
  return { drivers: [driver, driver] }
})
