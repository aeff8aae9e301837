import { memoryDriver, SessionStore } from '@session-stores/core'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import {
  betterSqlite3SessionStore,
  connectMongo,
  connectPgSimple,
  connectRedis,
  migrate,
} from '../src/index.ts'

const client = new Database(':memory:')
const from = betterSqlite3SessionStore({ client })
const until = new Date()
const redis = { get() {}, del() {}, pttl() {}, call() {}, on() {} } as never
const mongo = { db: () => ({ databaseName: 'app', collection() {} }), connect() {} } as never
const pool = { query() {}, connect() {}, on() {}, options: {}, end() {} } as never

test.each([
  ['nothing', () => connectRedis({} as never), /'client' is missing/],
  ['a URL', () => connectRedis({ client: 'redis://localhost' as never }), /'client' takes the client/],
  ['an unknown option', () => connectRedis({ client: redis, ttl: 1 } as never), /unknown option 'ttl'/],
  ['a promise of a client', () => connectMongo({ client: Promise.resolve() as never }), /await a promise/],
  [
    'both kinds of encryption',
    () =>
      connectMongo({ client: mongo, crypto: { secret: 's' }, cryptoAdapter: { decrypt: async () => '' } }),
    /one of the options/,
  ],
  ['no pool', () => connectPgSimple({} as never), /'pool' is missing.*a pg Pool/],
  ['a number as time zone', () => connectPgSimple({ pool, timeZone: 2 as never }), /'timeZone' takes/],
  ['two databases', () => betterSqlite3SessionStore({ client, database: client } as never), /exactly one/],
  [
    'no until',
    () => new SessionStore(memoryDriver(), { legacy: { from } as never }),
    /'legacy' takes .*until/,
  ],
  [
    'until as text',
    () => new SessionStore(memoryDriver(), { legacy: { from, until: '2027' as never } }),
    /until is the Date/,
  ],
  [
    'no date',
    () => new SessionStore(memoryDriver(), { legacy: { from, until: new Date('x') } }),
    /until is the Date/,
  ],
  [
    'a store as from',
    () => new SessionStore(memoryDriver(), { legacy: { from: {} as never, until } }),
    /from is a reader/,
  ],
  [
    'an unknown part',
    () => new SessionStore(memoryDriver(), { legacy: { from, until, copy: true } as never }),
    /'legacy' takes/,
  ],
  // Without options, both packages keep their rows in one place.
  [
    'the prefix of both',
    () => new RedisStore({ client: redis, legacy: { from: connectRedis({ client: redis }), until } }),
    /prefix: 'app-sessions:'/,
  ],
  [
    'the collection of both',
    () => new MongoStore({ client: mongo, legacy: { from: connectMongo({ client: mongo }), until } }),
    /collection: 'app_sessions'/,
  ],
  [
    'the table of both',
    () => new SqliteStore({ database: client, legacy: { from, until } }),
    /table: 'app_sessions'/,
  ],
  [
    'the same table',
    () => new PostgresStore({ pool, table: 'session', legacy: { from: connectPgSimple({ pool }), until } }),
    /table: 'sessions'/,
  ],
])('%s is a TypeError that says what to write', (_name, make, message) => {
  expect(make).toThrow(TypeError)
  expect(make).toThrow(message)
})

test('migrate refuses wrong options, and one place for both stores', async () => {
  const store = new SessionStore(memoryDriver(), { pruneInterval: false })
  for (const options of [
    { rate: 0 },
    { rate: -1 },
    { after: 1 },
    { signal: true },
    { onProgress: 1 },
    { dryrun: true },
  ])
    await expect(migrate(store, from, options as never)).rejects.toThrow(TypeError)
  client.exec('CREATE TABLE IF NOT EXISTS sessions (sid TEXT PRIMARY KEY, sess JSON, expire TEXT)')
  const same = new SqliteStore({ database: client, pruneInterval: false })
  await expect(migrate(same, from)).rejects.toThrow(/another table/)
})
