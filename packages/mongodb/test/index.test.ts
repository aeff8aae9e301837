import { driverSuite } from '@session-stores/conformance'
import { mongoServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { MongoClient } from 'mongodb'
import { afterAll, describe, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'

let made = 0

describeWith('MongoDB', mongoServer, ({ url }) => {
  const client = new MongoClient(url)
  afterAll(() => client.close())
  const database = `test${process.pid}`
  driverSuite({ describe, it }, () => {
    const collection = `sessions${++made}`
    const make = () => mongoDriver({ client, database, collection })
    return {
      drivers: [make(), make()],
      async dispose() {
        await client.db(database).dropCollection(collection)
      },
    }
  })
})
