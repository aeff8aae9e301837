// An application in ES modules that has installed the published packages.
import assert from 'node:assert'
import { randomBytes } from 'node:crypto'
import { rules, run, type Subject } from '@session-stores/conformance'
import { type Driver, memoryDriver, SessionStore, SessionStoreError } from '@session-stores/core'
import { authenticate, passportSessions, sameOrigin, sessions, tokenRoutes } from '@session-stores/express'
import { connectMongo, connectPgSimple, connectRedis, migrate } from '@session-stores/legacy'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore, redisDriver } from '@session-stores/redis'
import { SqliteStore, sqliteDriver } from '@session-stores/sqlite'
import { TokenError, Tokens } from '@session-stores/token'
import Database from 'better-sqlite3'
import express from 'express'
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
  (client: Redis, until: Date) =>
    new RedisStore({ client, prefix: 'app:', legacy: { from: connectRedis({ client }), until, keep: true } }),
  () => migrate(redis, connectMongo({ client: new MongoClient('mongodb://localhost') }), { rate: 100 }),
  () => migrate(redis, connectPgSimple({ pool: new pg.Pool() })),
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
const listed = await sqlite.list({ user: 'ada' })
assert.equal(listed.sessions.length, 1)
await assert.rejects(
  sqlite.set('', { cookie: new session.Cookie() }),
  (error) => error instanceof SessionStoreError && error.code === 'INVALID_ID',
)

const secret = randomBytes(32).toString('base64url')
const tokens = new Tokens({ store: sqlite, issuer: 'me', audience: 'me', secret })
const { accessToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
assert.equal((await tokens.verify(accessToken)).sub, 'ada')
await sqlite.revokeUser('ada')
await assert.rejects(tokens.verify(accessToken), TokenError)
const app = express()
app.use(sessions({ store: sqlite, secret }), sameOrigin(), tokenRoutes(tokens))
app.get('/', authenticate(tokens), (req, res) => void res.send(req.auth?.user))
assert.throws(() => sessions({ store: sqlite, secret: 'keyboard cat' }), /'secret' takes/)
assert.throws(() => passportSessions({}), TypeError)
tokens.close()

const subject: Subject = { make: () => ({ stores: [new SessionStore(memoryDriver())] }) }
const [result] = await run(subject, rules.slice(0, 1))
assert.equal(result?.outcome, 'passed')

for (const closing of [sqlite, redis, ...drivers]) await closing.close()
console.log('es module: ok')
