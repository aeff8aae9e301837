import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore, StoreOptions } from '@session-stores/core'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { after } from '@session-stores/testbed/vitest'
import type { SessionData } from 'express-session'

/** Where the sessions of one test are. */
export interface Place {
  database: DatabaseId
  /** A URL, or the path of a SQLite file. */
  url: string
  /** Keeps the sessions of tests apart that share a server. */
  namespace: string
}

/** Names a new place in the database with this URL. */
export const newPlace = (database: DatabaseId, url: string): Place => ({
  database,
  url,
  namespace: `t_${randomBytes(6).toString('hex')}`,
})

/**
 * Makes a folder outside of the folders for temporary files, where the repository itself may be. It
 * is removed after the test.
 */
export function newFolder(): string {
  const here = join(import.meta.dirname, '../.folders')
  const isTemporary = [tmpdir(), '/tmp', '/var/tmp', '/dev/shm'].some((each) => here.startsWith(`${each}/`))
  const parent = isTemporary ? homedir() : here
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, '.session-stores-test-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Returns the options of the command line that name the place. */
export function flagsOf({ database, url, namespace }: Place): string[] {
  switch (database) {
    case 'redis':
      return ['--store', url, '--prefix', `${namespace}:`]
    case 'postgres':
      return ['--store', url, '--table', namespace]
    case 'mongodb':
      return ['--store', url, '--collection', namespace]
    case 'sqlite':
      return ['--store', `sqlite:${url}`, '--table', namespace]
  }
}

/** Opens the store of a place, as an application does. It is closed after the test. */
export function openStore({ database, url, namespace }: Place, options: StoreOptions = {}): SessionStore {
  const user = (session: SessionData) => (session as { userId?: string }).userId
  const all = { pruneInterval: false as const, user, ...options }
  const store = {
    redis: () => new RedisStore({ url, prefix: `${namespace}:`, ...all }),
    postgres: () => new PostgresStore({ url, table: namespace, ...all }),
    mongodb: () => new MongoStore({ url, collection: namespace, ...all }),
    sqlite: () => new SqliteStore({ path: url, table: namespace, ...all }),
  }[database]()
  after(() => store.close())
  return store
}

/** What no command may print. */
export const PAYLOAD = 'what only the application may see'

/** Saves new sessions of the user, and returns their ids. */
export async function saveSessions(store: SessionStore, count: number, userId = 'ann'): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomBytes(24).toString('base64url'))
  const cookie = { originalMaxAge: 3_600_000, maxAge: 3_600_000 }
  const session = { cookie, userId, note: PAYLOAD } as unknown as SessionData
  await Promise.all(ids.map((id) => store.set(id, session)))
  return ids
}
