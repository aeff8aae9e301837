/** The module with which another process opens the database of a test. */
import type { Driver } from '@session-stores/core'
import { redisDriver } from '../../src/index.ts'
import { type Library, lend } from './lent.ts'
import type { Place } from './place.ts'

export default function driverOf({
  prefix,
  library,
  ...place
}: Place & { prefix: string; library: Library }): Driver {
  const { client, close } = lend(library, place)
  const driver = redisDriver({ client, prefix })
  return { ...driver, close }
}
