/** The module with which another process opens the database of a test. */
import type { Driver } from '@session-stores/core'
import { redisDriver } from '../../src/index.ts'
import { clientOf, type Place } from './place.ts'

export default function driverOf({ prefix, ...place }: Place & { prefix: string }): Driver {
  const client = clientOf(place)
  const driver = redisDriver({ client, prefix })
  return { ...driver, close: () => client.disconnect() }
}
