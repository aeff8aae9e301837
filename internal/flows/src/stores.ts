import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver, SessionStore, type StoreOptions } from '@session-stores/core'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'
import { redisServer } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe } from 'vitest'

/** Makes a store with its own sessions. It is emptied and closed after the test. */
export type MakeStore = (options?: StoreOptions) => SessionStore

/** Declares the same tests on the memory driver, on SQLite and on Redis. */
export function describeOnStores(name: string, body: (makeStore: MakeStore) => void): void {
  describe(`${name}, on the memory driver`, () => {
    body((options) => closeAfter(new SessionStore(memoryDriver(), options)))
  })
  describe(`${name}, on SQLite`, () => {
    body((options) => {
      const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
      after(() => rmSync(folder, { recursive: true }))
      return closeAfter(new SqliteStore({ path: join(folder, 'sessions.db'), ...options }))
    })
  })
  describeWith(`${name}, on Redis`, redisServer, ({ url }) => {
    // Other tests may use the same server.
    body((options) => closeAfter(new RedisStore({ url, prefix: `flows-${randomUUID()}:`, ...options })))
  })
}

function closeAfter(store: SessionStore): SessionStore {
  after(async () => {
    await store.clear()
    await store.close()
  })
  return store
}
