import type { Driver, SessionStore, StoreOptions } from '@session-stores/core'
import { MongoStore, mongoDriver } from '@session-stores/mongodb'
import { PostgresStore, postgresDriver } from '@session-stores/postgres'
import { RedisStore, redisDriver } from '@session-stores/redis'
import { SqliteStore, sqliteDriver } from '@session-stores/sqlite'
import type { DatabaseId } from '@session-stores/testbed/databases'

declare module 'express-session' {
  interface SessionData {
    userId?: string
    cart?: string[]
  }
}

/** Where the sessions of one test are, so that another process can open them, too. */
export interface Place {
  database: DatabaseId
  /** A URL, or the path of a SQLite file. */
  url: string
  /** Keeps the sessions of tests apart that share a server. */
  namespace: string
}

/** Whose session it is, for the option `user`. */
export const ofUser: Pick<StoreOptions, 'user'> = {
  user: (session: { userId?: string }): string | undefined => session.userId,
}

/** Opens the store of a place. The caller closes it. */
export function openStore({ database, url, namespace }: Place, options: StoreOptions = {}): SessionStore {
  const all = { pruneInterval: false as const, ...ofUser, ...options }
  switch (database) {
    case 'redis':
      return new RedisStore({ url, prefix: `${namespace}:`, ...all })
    case 'postgres':
      return new PostgresStore({ url, table: namespace, ...all })
    case 'mongodb':
      return new MongoStore({ url, collection: namespace, ...all })
    case 'sqlite':
      return new SqliteStore({ path: url, ...all })
  }
}

/** Opens what is stored at a place, as somebody sees it who got hold of the database. */
export function openDriver({ database, url, namespace }: Place): Driver {
  switch (database) {
    case 'redis':
      return redisDriver({ url, prefix: `${namespace}:` })
    case 'postgres':
      return postgresDriver({ url, table: namespace })
    case 'mongodb':
      return mongoDriver({ url, collection: namespace })
    case 'sqlite':
      return sqliteDriver({ path: url })
  }
}
