import { join } from 'node:path'
import {
  driverSuite,
  everyRuleSuite,
  expressSuite,
  type ProcessBackend,
  processRaceSuite,
  raceSuite,
  storeSuite,
} from '@session-stores/conformance'
import { MongoClient } from 'mongodb'
import { afterAll, describe, it } from 'vitest'
import { mongoDriver } from '../src/index.ts'

const runner = { describe, it }
const database = `test${process.pid}`
let made = 0

/** Makes collections, each of which two drivers share as two processes do. */
function maker({ url }: { url: string }): () => ProcessBackend {
  const client = new MongoClient(url)
  afterAll(() => client.close())
  return () => {
    const collection = `sessions${++made}`
    const make = () => mongoDriver({ client, database, collection })
    return {
      drivers: [make(), make()],
      remote: { module: join(import.meta.dirname, 'remote.ts'), config: { url, database, collection } },
      dump: async () => JSON.stringify(await client.db(database).collection(collection).find().toArray()),
      async dispose() {
        await client.db(database).dropCollection(collection)
      },
    }
  }
}

type Suite = 'driver' | 'store' | 'express' | 'race' | 'processRace' | 'everyRule'

const suites = {
  driver: driverSuite,
  store: storeSuite,
  express: expressSuite,
  race: raceSuite,
  processRace: processRaceSuite,
  everyRule: everyRuleSuite,
}

/** The suites of the contract, all by default. */
export function contract(server: { url: string }, names = Object.keys(suites) as Suite[]): void {
  const make = maker(server)
  for (const name of names) suites[name](runner, make)
}
