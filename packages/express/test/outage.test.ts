import { mongoReplicaSet, type ProcessServer, postgresProcess, redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { expect, test } from 'vitest'
import { openForTest } from '../../token/test/support/databases.ts'
import type { Place } from '../../token/test/support/places.ts'
import { endureOutage } from './support/outage.ts'

const OPERATION_TIMEOUT = 2000
const OUTAGE = 10_000

const servers: Readonly<Record<Exclude<Place['database'], 'sqlite'>, () => Promise<ProcessServer>>> = {
  redis: () => redisProcess({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] }),
  postgres: () => postgresProcess(),
  mongodb: () => mongoReplicaSet(),
}

for (const [database, start] of Object.entries(servers) as [
  Exclude<Place['database'], 'sqlite'>,
  () => Promise<ProcessServer>,
][])
  describeWith(`attack, on ${database}`, start, (server) => {
    test('the store is killed, and is away for ten seconds', async () => {
      const place: Place = { database, url: server.url, namespace: 't_outage' }
      const store = openForTest(place, { operationTimeout: OPERATION_TIMEOUT })
      const { statuses, longest, cookies, signedOut } = await endureOutage(store, server, OUTAGE)
      expect({ cookies, signedOut }).toEqual({ cookies: 0, signedOut: 0 })
      expect(Object.keys(statuses).sort()).toEqual(['200', '503'])
      expect(statuses[503]).toBeGreaterThan(100)
      // One answer may need two calls of the store, and a busy machine adds to both.
      expect(longest).toBeLessThan(3 * OPERATION_TIMEOUT)
    })
  })
