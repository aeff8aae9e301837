import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryDriver, SessionStore, SessionStoreError, type StoreOptions } from '@session-stores/core'
import { mongoServer, postgresServer, redisServer } from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe } from 'vitest'
import type { Tokens, TokensOptions } from '../../src/index.ts'
import { ofUser, openStore, type Place } from './places.ts'
import { makeTokens } from './tokens.ts'

/** Opens the store of a place, and closes it after the test. */
export function openForTest(place: Place, options: StoreOptions = {}): SessionStore {
  const store = openStore(place, options)
  after(() => store.close())
  return store
}

/** Makes tokens on a store, and closes them after the test. */
export function tokensForTest(store: SessionStore, options: Partial<TokensOptions> = {}): Tokens {
  const tokens = makeTokens(store, options)
  after(() => tokens.close())
  return tokens
}

/** Opens a store in memory. */
export const openInMemory = (options: StoreOptions = {}): SessionStore =>
  new SessionStore(memoryDriver(), { pruneInterval: false, ...ofUser, ...options })

/** A store that does not answer while `isDown` says so. */
export interface FailingStore {
  store: SessionStore
  state: { isDown: boolean }
}

/** Opens a store in memory whose database can be made to fail. */
export function openFailing(): FailingStore {
  const driver = memoryDriver()
  const state = { isDown: false }
  const fail = () => {
    if (state.isDown) throw new SessionStoreError('UNAVAILABLE', 'of the test')
  }
  const failing: typeof driver = {
    ...driver,
    read(keys) {
      fail()
      return driver.read(keys)
    },
    write(writes, now) {
      fail()
      return driver.write(writes, now)
    },
  }
  return { state, store: new SessionStore(failing, { pruneInterval: false, ...ofUser }) }
}

const SERVERS = { redis: redisServer, postgres: postgresServer, mongodb: mongoServer } as const
const NAMES: Readonly<Record<DatabaseId, string>> = {
  sqlite: 'SQLite',
  redis: 'Redis',
  postgres: 'PostgreSQL',
  mongodb: 'MongoDB',
}

/**
 * Declares the same tests on each of the four databases, or on some of them. `makePlace` names a new
 * place for a test.
 */
export function describeOnDatabases(
  name: string,
  body: (makePlace: () => Place, database: DatabaseId) => void,
  databases: readonly DatabaseId[] = ['sqlite', 'redis', 'postgres', 'mongodb'],
): void {
  const makeNamespace = () => `t_${randomBytes(6).toString('hex')}`
  const declare = (database: DatabaseId, url: () => string) =>
    body(() => ({ database, url: url(), namespace: makeNamespace() }), database)
  for (const database of databases) {
    const title = `${name}, on ${NAMES[database]}`
    if (database === 'sqlite') describe(title, () => declare(database, newFile))
    else describeWith(title, SERVERS[database], ({ url }) => declare(database, () => url))
  }
}

/** Returns the path of a file that is removed after the test. */
function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'session-stores-'))
  after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'sessions.db')
}
