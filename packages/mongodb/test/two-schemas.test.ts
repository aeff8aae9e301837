import { driverSuite } from '@session-stores/driver-suite'
import { mongoProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { MongoClient } from 'mongodb'
import { afterAll, describe, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'

const steps = [[{ name: 'createdAt_1', key: { createdAt: 1 } }]]
let collections = 0

describeWith('a collection that two versions share', mongoProcess, ({ url }) => {
  const client = new MongoClient(url)
  afterAll(() => client.close())
  const make = () => {
    const place = { client, database: 'shared', collection: `sessions${++collections}` }
    return {
      drivers: [mongoDriver(place), mongoDriver(place, { minimum: 1, steps })] as const,
      dispose: async () => void (await client.db('shared').dropCollection(place.collection)),
    }
  }
  driverSuite({ describe, it }, make, { only: ['contract'] })
})
