import type { SessionStore, StoreOptions } from '@session-stores/core'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'

/** The store of a URL: that of a server, or `sqlite:` and the path of a file. */
export function openStore(url: string, options: StoreOptions): SessionStore {
  const scheme = url.slice(0, url.indexOf(':') + 1)
  switch (scheme) {
    case 'sqlite:':
      return new SqliteStore({ path: url.slice(scheme.length), ...options })
    case 'redis:':
    case 'rediss:':
      return new RedisStore({ url, ...options })
    case 'postgres:':
    case 'postgresql:':
      return new PostgresStore({ url, ...options })
    case 'mongodb:':
    case 'mongodb+srv:':
      return new MongoStore({ url, ...options })
    default:
      throw new TypeError(
        'SESSION_STORE takes a redis:, rediss:, postgres: or mongodb: URL, or sqlite:path/to/file.db',
      )
  }
}

/** For the screen: without the password. */
export const describeStore = (url: string): string => url.replace(/^(\w[^/]*:\/\/[^/@]*:)[^/@]*@/, '$1***@')
