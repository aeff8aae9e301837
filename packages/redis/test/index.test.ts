import { driverSuite } from '@session-stores/conformance'
import { redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { redisDriver } from '../src/index.ts'

let prefixes = 0

describeWith('Redis', redisServer, ({ url }) => {
  driverSuite({ describe, it }, () => {
    const prefix = `test${process.pid}-${++prefixes}:`
    const make = () => redisDriver({ url, prefix })
    const cleaner = make()
    return {
      drivers: [make(), make()],
      async dispose() {
        await cleaner.clear()
        await cleaner.close()
      },
    }
  })
})
