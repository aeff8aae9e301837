import { SessionStore, type StoreOptions } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { openPlace } from '../histories/deployments/open.ts'
import type { Version } from '../histories/protocol.ts'

/** Processes in the middle of a rolling deploy: the first one does not write the new format yet. */
export const ROLLING: readonly Version[] = [{ writes: 1 }, { writes: 2 }, { writes: 2 }]

/**
 * Opens the store of this database, as `openPlace` does.
 *
 * @param writes the option `formatVersion`, in a version of the packages that has one format more;
 *   `undefined`: this version
 */
export async function openVersion(
  database: DatabaseId,
  place: string,
  writes: number | undefined,
  options: StoreOptions,
): Promise<SessionStore> {
  if (writes === undefined) return openPlace(database, place, options)
  // Older versions of the packages do not have this.
  const { NEXT_FORMATS } = await import('./formats.ts')
  return new SessionStore(
    await openDriver(database, place),
    { ...options, formatVersion: writes },
    NEXT_FORMATS,
  )
}

async function openDriver(database: DatabaseId, place: string) {
  switch (database) {
    case 'redis':
      return (await import('@session-stores/redis')).redisDriver({ url: place })
    case 'postgres':
      return (await import('@session-stores/postgres')).postgresDriver({ url: place })
    case 'mongodb':
      return (await import('@session-stores/mongodb')).mongoDriver({ url: place })
    case 'sqlite':
      return (await import('@session-stores/sqlite')).sqliteDriver({ path: place })
  }
}
