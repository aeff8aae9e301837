import { join } from 'node:path'
import type { Deployment, MakeDeployment } from '@session-stores/driver-suite'
import { MongoClient } from 'mongodb'
import { afterAll } from 'vitest'
import { mongoDriver } from '../../src/index.ts'

const database = `test${process.pid}`
let collections = 0

/** Returns a function that makes deployments on a server, each in a collection of its own. */
export function deploymentsOn({ url }: { url: string }): MakeDeployment {
  const client = new MongoClient(url)
  afterAll(() => client.close())

  return (): Deployment => {
    const collection = `sessions${++collections}`
    const driver = () => mongoDriver({ client, database, collection })
    return {
      drivers: [driver(), driver()],
      remote: { module: join(import.meta.dirname, 'remote.ts'), config: { url, database, collection } },
      dump: async () => JSON.stringify(await client.db(database).collection(collection).find().toArray()),
      async dispose() {
        await client.db(database).dropCollection(collection)
      },
    }
  }
}
