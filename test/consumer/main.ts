// An application in ES modules that has installed the published packages.
import assert from 'node:assert'
import { rules, run, type Subject } from '@session-stores/conformance'
import { type Driver, memoryDriver, SessionStore, SessionStoreError } from '@session-stores/core'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore, redisDriver } from '@session-stores/redis'
import { SqliteStore, sqliteDriver } from '@session-stores/sqlite'
import Database from 'better-sqlite3'
import session from 'express-session'
import { Cluster, Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import pg from 'pg'

declare module 'express-session' {
  interface SessionData {
    userId?: string
  }
}

const url = 'redis://127.0.0.1:6379'
const drivers: Driver[] = [memoryDriver(), sqliteDriver({ path: ':memory:' }), redisDriver({ url })]
const sqlite = new SqliteStore({ path: ':memory:', user: ({ userId }) => userId, idleTimeout: 60_000 })
const redis = new RedisStore({ url, prefix: 'app:', onConflict: 'error' })

export const lent: unknown[] = [
  () => new RedisStore({ client: new Redis(url) }),
  () => new RedisStore({ client: new Cluster([url]) }),
  (client: Redis | Cluster) => new RedisStore({ client }),
  () => new MongoStore({ client: new MongoClient('mongodb://localhost') }),
  () => new PostgresStore({ pool: new pg.Pool() }),
  () => new SqliteStore({ database: new Database(':memory:') }),
]

export const mistakes: unknown[] = [
  // @ts-expect-error: a misspelt option
  () => new RedisStore({ clinet: redis }),
  // @ts-expect-error: a misspelt option beside a right one
  () => new RedisStore({ url, prefx: 'app:' }),
  // @ts-expect-error: a misspelt option beside a right one
  () => new SqliteStore({ path: ':memory:', idelTimeout: 1 }),
  // @ts-expect-error: a client in place of a pool
  () => new PostgresStore({ pool: new pg.Client() }),
  // @ts-expect-error: an option of the wrong type
  () => new SessionStore(memoryDriver(), { touchAfter: '1m' }),
]

for (const store of [sqlite, redis]) {
  assert(store instanceof SessionStore && store instanceof session.Store)
  session({ store, secret: 'a secret', resave: false, saveUninitialized: false })
}
await sqlite.set('an id', { cookie: new session.Cookie(), userId: 'ada' })
assert.equal((await sqlite.get('an id'))?.userId, 'ada')
const { sessions } = await sqlite.list({ user: 'ada' })
assert.equal(sessions.length, 1)
await assert.rejects(
  sqlite.set('', { cookie: new session.Cookie() }),
  (error) => error instanceof SessionStoreError && error.code === 'INVALID_ID',
)

const subject: Subject = { make: () => ({ stores: [new SessionStore(memoryDriver())] }) }
const [result] = await run(subject, rules.slice(0, 1))
assert.equal(result?.outcome, 'passed')

for (const closing of [sqlite, redis, ...drivers]) await closing.close()
console.log('es module: ok')
