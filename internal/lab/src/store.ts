import type { SessionStore, StoreOptions } from '@session-stores/core'
import type { DatabaseId } from '@session-stores/testbed/databases'

/**
 * Opens the store of this database.
 * @param place a URL, or the path of a SQLite file
 */
export async function openStore(
  database: DatabaseId,
  place: string,
  options: StoreOptions,
): Promise<SessionStore> {
  switch (database) {
    case 'redis': {
      const { RedisStore } = await import('@session-stores/redis')
      return new RedisStore({ url: place, ...options })
    }
    case 'postgres': {
      const { PostgresStore } = await import('@session-stores/postgres')
      return new PostgresStore({ url: place, ...options })
    }
    case 'mongodb': {
      const { MongoStore } = await import('@session-stores/mongodb')
      return new MongoStore({ url: place, ...options })
    }
    case 'sqlite': {
      const { SqliteStore } = await import('@session-stores/sqlite')
      return new SqliteStore({ path: place, ...options })
    }
  }
}
