import type { SessionStore, StoreOptions } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { openStore } from '../../store.ts'
import type { Opening } from './deployment.ts'

/** Opens the store of this database, as the documentation says for its deployment. */
export function openPlace(database: DatabaseId, place: string, options: StoreOptions): Promise<SessionStore> {
  return place.startsWith('{')
    ? openDeployment(JSON.parse(place), options)
    : openStore(database, place, options)
}

async function openDeployment(opening: Opening, options: StoreOptions): Promise<SessionStore> {
  if (opening.kind === 'standby') {
    const store = await openStore('postgres', opening.url, options)
    await store.ping()
    const { PostgresStore } = await import('@session-stores/postgres')
    const reader = new PostgresStore({ url: opening.standby, createTable: false, ...options })
    return Object.assign(store, { get: reader.get.bind(reader) })
  }
  if (opening.kind === 'full') {
    const store = await openStore('redis', opening.url, options)
    const set = store.set.bind(store) as (id: string, session: unknown) => Promise<void>
    return Object.assign(store, {
      set: (id: string, session: unknown) =>
        set(id, session).catch((error) => {
          if (error.code !== 'STORAGE_FULL') throw error
        }),
    })
  }
  if (opening.kind === 'pooler') {
    const { PostgresStore } = await import('@session-stores/postgres')
    return new PostgresStore({ url: opening.url, namedStatements: false, ...options })
  }
  const { RedisStore } = await import('@session-stores/redis')
  const { Cluster, Redis } = await import('ioredis')
  // A share of `operationTimeout`, as the store's own connection has it.
  const socketTimeout = Math.round(0.6 * (options.operationTimeout ?? 5000))
  const retryStrategy = (): number => 100
  const client =
    opening.kind === 'cluster'
      ? new Cluster([...opening.addresses], {
          redisOptions: { socketTimeout, connectTimeout: socketTimeout },
          slotsRefreshInterval: 1000,
          clusterRetryStrategy: retryStrategy,
        })
      : new Redis({
          sentinels: [...opening.addresses],
          name: opening.name,
          natMap: { ...opening.natMap },
          socketTimeout,
          connectTimeout: socketTimeout,
          maxRetriesPerRequest: 2,
          failoverDetector: true,
          retryStrategy,
          sentinelRetryStrategy: retryStrategy,
        })
  client.on('error', () => {})
  const store = new RedisStore({ client, ...options })
  const close = store.close.bind(store)
  return Object.assign(store, { close: () => close().finally(() => client.disconnect()) })
}
