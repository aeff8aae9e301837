import type { SessionStore, StoreOptions } from '@session-stores/core'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'

/** The store of a URL: `redis://…`, `rediss://…`, or `sqlite:` and the path of a file. */
export function openStore(url: string, options: StoreOptions): SessionStore {
  const scheme = url.slice(0, url.indexOf(':') + 1)
  switch (scheme) {
    case 'sqlite:':
      return new SqliteStore({ path: url.slice(scheme.length), ...options })
    case 'redis:':
    case 'rediss:':
      return new RedisStore({ url, ...options })
    default:
      throw new TypeError(
        'SESSION_STORE takes redis://host:port, rediss://host:port or sqlite:path/to/file.db',
      )
  }
}

/** For the screen: without the password. */
export function describeStore(url: string): string {
  if (url.startsWith('sqlite:')) return `SQLite (${url.slice('sqlite:'.length)})`
  const shown = new URL(url)
  if (shown.password) shown.password = '***'
  return `Redis (${shown.href})`
}
