import { mongoReplicaSet } from '@session-stores/testbed'
import { MongoClient } from 'mongodb'
import type { BenchServer } from './server.ts'

/** The size of the cache in GB. It holds all sessions of a run, as a real installation would. */
const CACHE = 2

export async function startMongodb(): Promise<BenchServer> {
  const server = await mongoReplicaSet()
  const client = await new MongoClient(server.url).connect()
  await client
    .db('admin')
    .command({ setParameter: 1, wiredTigerEngineRuntimeConfig: `cache_size=${CACHE}GB` })
  return {
    info: {
      name: 'mongodb',
      version: server.version,
      settings: { members: '1', w: 'majority', journal: 'on', cache: `${CACHE} GB` },
    },
    async empty(name) {
      const database = name.replaceAll('-', '_')
      await client.db(database).dropDatabase()
      const url = new URL(server.url)
      url.pathname = `/${database}`
      url.searchParams.set('w', 'majority')
      return [url.href]
    },
    async settle() {
      await client.db('admin').command({ fsync: 1 })
    },
    async counts() {
      const status = await client.db('admin').command({ serverStatus: 1, tcmalloc: 0, wiredTiger: 0 })
      const { insert, query, update, delete: removed } = status.opcounters
      return {
        roundTrips: Number(status.network.numRequests),
        commands: Number(insert) + Number(query) + Number(update) + Number(removed),
      }
    },
    async stored(url) {
      const collections = await client.db(new URL(url).pathname.slice(1)).collections()
      const sizes = await Promise.all(collections.map((collection) => collection.countDocuments()))
      return sizes.reduce((sum, size) => sum + size, 0)
    },
    async size(url) {
      const database = client.db(new URL(url).pathname.slice(1))
      const stats = await database.command({ dbStats: 1 })
      const [data, indexes, stored] = [stats.dataSize, stats.indexSize, stats.storageSize].map(Number)
      return { data: data!, indexes: indexes!, compressed: stored! + indexes! }
    },
    pids: () => [server.pid!],
    async stop() {
      await client.close()
      await server.stop()
    },
  }
}
