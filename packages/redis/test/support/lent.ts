import { Cluster, Redis } from 'ioredis'
import * as redis6 from 'redis'
import * as redis5 from 'redis-5'
import type { RedisOptions } from '../../src/index.ts'
import type { Place } from './place.ts'

/** The libraries whose clients stores take. */
export const libraries = ['ioredis', 'redis 5', 'redis 6'] as const

/** The versions of node-redis among them. */
export const nodeRedis = ['redis 5', 'redis 6'] as const

/** A library whose clients stores take. */
export type Library = (typeof libraries)[number]

/** Whether tests run on each combination that stores take, as `npx -y pnpm@12 node-redis` does. */
export const isWhole: boolean = process.env.SESSION_STORES_EVERY_CLIENT === '1'

/** The libraries on which also the slow tests run. */
export const mainLibraries: readonly Library[] = isWhole ? libraries : ['ioredis', 'redis 6']

/** A client as an application makes it. It may still be connecting. */
export interface Lent {
  readonly client: NonNullable<RedisOptions['client']>
  /** Ends all connections of the client at once. */
  close(): void
}

/** Makes a client of the server, the cluster or the master, and lets it connect. */
export const lend = (library: Library, place: Place, database = 0): Lent =>
  library === 'ioredis' ? lendIoredis(place, database) : lendNodeRedis(library, place, database)

/** Returns the address of a server's proxy, by the address of the server. */
const toMap = ({ ports = new Map() }: Place) =>
  Object.fromEntries(
    [...ports].map(([port, proxy]) => [`127.0.0.1:${port}`, { host: '127.0.0.1', port: proxy }]),
  )

function lendIoredis(place: Place, database: number): Lent {
  const { url, addresses, sentinels, name } = place
  const [natMap, socketTimeout] = [toMap(place), 3000]
  const client = sentinels
    ? new Redis({ sentinels: [...sentinels], name: name!, natMap, socketTimeout, maxRetriesPerRequest: 2 })
    : addresses
      ? // Ioredis would not leave a silent master reliably by itself.
        new Cluster([...addresses], { natMap, slotsRefreshInterval: 5000, redisOptions: { socketTimeout } })
      : new Redis(url!, { db: database })
  client.on('error', () => {})
  return { client, close: () => client.disconnect() }
}

function lendNodeRedis(library: Library, place: Place, database: number): Lent {
  const { url, addresses, sentinels, name } = place
  const nodeAddressMap = toMap(place)
  // Both versions have what this function uses, though their types differ.
  const { createClient, createCluster, createSentinel } = (
    library === 'redis 5' ? redis5 : redis6
  ) as typeof redis6
  // By default, node-redis gives up a client whose server was silent.
  const socket = { socketTimeout: 3000, reconnectStrategy: (retries: number) => Math.min(retries * 50, 500) }
  const client = sentinels
    ? createSentinel({
        sentinelRootNodes: [...sentinels],
        name: name!,
        nodeClientOptions: { socket },
        nodeAddressMap,
      })
    : addresses
      ? createCluster({
          rootNodes: addresses.map((at) => ({ socket: at })),
          defaults: { socket },
          nodeAddressMap,
          topologyRefreshOnReconnectionAttemptStrategy: 1000,
        })
      : createClient({ url: url!, database, socket })
  client.on('error', () => {})
  client.connect().catch(() => {})
  const close = () => {
    // Only a sentinel client returns a promise.
    if (client.isOpen) Promise.resolve(client.destroy()).catch(() => {})
  }
  return { client, close }
}
