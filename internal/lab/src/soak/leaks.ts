import type { SessionStore, StoreOptions } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { openStore } from '../store.ts'

/** The leaks that are planted on purpose. The soak has to find each of them. */
export const LEAKS = [
  'adds a listener with each reconnect',
  'keeps the id of every session',
  'never purges rows',
] as const
export type Leak = (typeof LEAKS)[number]

/**
 * Opens the store of this database, with a leak if there is one.
 * @throws TypeError where the database has no such leak
 */
export async function openLeaking(
  database: DatabaseId,
  place: string,
  options: StoreOptions,
  leak: Leak | undefined,
): Promise<SessionStore> {
  switch (leak) {
    case 'never purges rows':
      if (database === 'redis')
        throw new TypeError('Redis itself removes what has expired; name another database')
      return openStore(database, place, { ...options, pruneInterval: false })
    case 'keeps the id of every session': {
      const store = await openStore(database, place, options)
      const save = store.set.bind(store) as (id: string, ...rest: unknown[]) => Promise<void>
      const seen = new Set<string>()
      return Object.assign(store, {
        set(id: string, ...rest: unknown[]) {
          seen.add(id)
          return save(id, ...rest)
        },
      })
    }
    case 'adds a listener with each reconnect': {
      if (database !== 'redis') throw new TypeError('this leak is planted on Redis alone; name redis')
      const { Redis } = await import('ioredis')
      const { RedisStore } = await import('@session-stores/redis')
      const client = new Redis(place).setMaxListeners(0)
      client.on('error', () => {})
      client.on('connect', () => client.on('end', () => {}))
      return new RedisStore({ client, ...options })
    }
    default:
      return openStore(database, place, options)
  }
}
