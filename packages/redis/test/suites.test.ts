import { join } from 'node:path'
import {
  driverSuite,
  expressSuite,
  type ProcessBackend,
  processRaceSuite,
  raceSuite,
  storeSuite,
} from '@session-stores/conformance'
import { redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, describe, it } from 'vitest'
import { redisDriver } from '../src/index.ts'

const runner = { describe, it }
let prefixes = 0

describeWith('Redis', redisServer, ({ url }) => {
  const observer = new Redis(url)
  afterAll(() => observer.disconnect())

  /** Prefixes, each of which two drivers share as two processes do. */
  function make(): ProcessBackend {
    const config = { url, prefix: `test${process.pid}-${++prefixes}:` }
    return {
      drivers: [redisDriver(config), redisDriver(config)],
      remote: { module: join(import.meta.dirname, 'remote.ts'), config },
      async dump() {
        const keys = await observer.keys(`${config.prefix}*`)
        const values = await Promise.all(
          keys.map((key) =>
            key.startsWith(`${config.prefix}:`) ? observer.zrange(key, '0', '-1') : observer.get(key),
          ),
        )
        return JSON.stringify([keys, values])
      },
      async dispose() {
        const cleaner = redisDriver(config)
        await cleaner.clear()
        await cleaner.close()
      },
    }
  }

  driverSuite(runner, make)
  storeSuite(runner, make)
  expressSuite(runner, make)
  raceSuite(runner, make)
  processRaceSuite(runner, make)
})
