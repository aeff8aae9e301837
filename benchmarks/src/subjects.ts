import { join } from 'node:path'
import session from 'express-session'

/** Where a subject keeps its sessions: empty, and its own. */
export interface Place {
  folder: string
  redisUrl: string
}

export interface Subject {
  store: session.Store
  /** Called once, between the filling and the first measurement. */
  settle?(): void
}

export type SubjectName =
  | 'SessionStore on memoryDriver'
  | 'MemoryStore'
  | 'SqliteStore'
  | 'better-sqlite3-session-store'
  | 'better-sqlite3-session-store, WAL'
  | 'RedisStore'
  | 'connect-redis'

/** Each runs in a process of its own, which loads only what it needs and ends without closing it. */
export const subjects: Record<SubjectName, (place: Place) => Promise<Subject>> = {
  async 'SessionStore on memoryDriver'() {
    const { memoryDriver, SessionStore } = await import('@session-stores/core')
    return { store: new SessionStore(memoryDriver()) }
  },
  async MemoryStore() {
    return { store: new session.MemoryStore() }
  },
  async SqliteStore({ folder }) {
    const { SqliteStore } = await import('@session-stores/sqlite')
    return { store: new SqliteStore({ path: join(folder, 'sessions.db') }) }
  },
  'better-sqlite3-session-store': (place) => sqlitePeer(place, 'DELETE', 'FULL'),
  'better-sqlite3-session-store, WAL': (place) => sqlitePeer(place, 'WAL', 'NORMAL'),
  async RedisStore({ redisUrl }) {
    const { RedisStore } = await import('@session-stores/redis')
    return { store: new RedisStore({ url: redisUrl }) }
  },
  async 'connect-redis'({ redisUrl }) {
    const { RedisStore } = await import('connect-redis')
    const { createClient } = await import('redis')
    const client = createClient({ url: redisUrl })
    await client.connect()
    return { store: new RedisStore({ client }) }
  },
}

/** What a crash of the machine can cost. */
export const durability: readonly string[] = [
  'SqliteStore: WAL, synchronous=NORMAL (its default)',
  'better-sqlite3-session-store: rollback journal, synchronous=FULL (its default)',
  'better-sqlite3-session-store, WAL: WAL, synchronous=NORMAL, as SqliteStore',
  "RedisStore and connect-redis: the same server, save '' and appendonly no",
]

async function sqlitePeer({ folder }: Place, journal: string, synchronous: string): Promise<Subject> {
  const { default: Database } = await import('better-sqlite3')
  const { default: peer } = await import('better-sqlite3-session-store')
  const client = new Database(join(folder, 'sessions.db'))
  // Filling is not measured, and takes a minute with an fsync for each session.
  client.exec(`PRAGMA journal_mode = ${journal}; PRAGMA synchronous = OFF`)
  return {
    store: new (peer(session))({ client }),
    settle: () => void client.exec(`PRAGMA synchronous = ${synchronous}`),
  }
}
