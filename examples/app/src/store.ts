import type { SessionStore, StoreOptions } from '@session-stores/core'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'
import { makeDatabasePrivate } from './files.ts'

/**
 * Opens the store of a URL: a server's URL, or `sqlite:` and the path of a file.
 * @throws TypeError for any other URL
 */
export function openStore(url: string, options: StoreOptions): SessionStore {
  const scheme = schemeOf(url)
  switch (scheme) {
    case 'sqlite:': {
      const path = url.slice(scheme.length).trim()
      if (!/^(:memory:|file:.*|)$/.test(path)) makeDatabasePrivate(path)
      return new SqliteStore({ path, ...options })
    }
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
        'a store has a redis:, rediss:, postgres: or mongodb: URL, or sqlite:path/to/file.db',
      )
  }
}

const NAMES: Readonly<Record<string, string>> = {
  'sqlite:': 'SQLite',
  'redis:': 'Redis',
  'rediss:': 'Redis',
  'postgres:': 'PostgreSQL',
  'postgresql:': 'PostgreSQL',
  'mongodb:': 'MongoDB',
  'mongodb+srv:': 'MongoDB',
}

/** Returns the name of the database of a URL, for the pages. */
export function nameDatabase(url: string): string {
  return NAMES[schemeOf(url)] ?? 'an unknown database'
}

const SERVERS = Object.keys(NAMES).filter((scheme) => scheme !== 'sqlite:')

/** A name, the path of a socket, or an IPv6 address. Other encoded characters may be a password. */
const HOST = String.raw`(?:(?:[\w.-]|%2F)+|\[[\da-f:.]+\])(?::\d+)?`
const PLACE = String.raw`(?:${HOST}(?:,${HOST})*)?(?:/[\w.~-]*)?`
// An @ after the place may end a password that contains /, ? or #, so such a URL does not match.
const FORM = new RegExp(`^[^:]+://(?:[^/?#]*@)?(${PLACE})(?:[?#][^@]*)?$`, 'i')

/**
 * Describes where a store is, for the screen: scheme, hosts and path. If a part of the URL may be a
 * password, only the scheme is shown.
 */
export function describeStore(url: string): string {
  const scheme = schemeOf(url)
  if (scheme === 'sqlite:') return url
  // The text before the colon is then not a scheme and may be a password itself.
  if (!SERVERS.includes(scheme)) return 'SESSION_STORE'
  const place = FORM.exec(url)?.[1]
  return place === undefined ? `${scheme}…` : `${scheme}//${place}`
}

function schemeOf(url: string): string {
  return url.slice(0, url.indexOf(':') + 1)
}
