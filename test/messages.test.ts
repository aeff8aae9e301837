import { DatabaseSync } from 'node:sqlite'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { sessions } from '@session-stores/express'
import { connectPgSimple, connectRedis } from '@session-stores/legacy'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'
import { Tokens } from '@session-stores/token'
import Database from 'better-sqlite3'
import { Redis } from 'ioredis'
import pg from 'pg'
import { createClientPool } from 'redis'
import { describe, expect, test } from 'vitest'
import { STORE_HINTS } from '../packages/core/src/option-hints.ts'
import { HINTS as MONGODB_HINTS } from '../packages/mongodb/src/hints.ts'
import { HINTS as POSTGRES_HINTS } from '../packages/postgres/src/hints.ts'
import { HINTS as REDIS_HINTS } from '../packages/redis/src/hints.ts'
import { HINTS as SQLITE_HINTS } from '../packages/sqlite/src/hints.ts'

/** What somebody new may write, and the whole message, without the list of all options. */

const url = { redis: 'redis://h', mongodb: 'mongodb://h', postgres: 'postgres://h' }
const path = ':memory:'
const secret = 'dpZ3mQ8xT1vKfR6yWj2nLs9bHc4gUeXa'
/** As JavaScript, without the help of a compiler. */
const make = (Store: new (...options: never[]) => unknown, ...options: unknown[]) =>
  new Store(...(options as never[]))

/** Returns the message of the TypeError at construction. */
function messageOf(construct: () => unknown): string {
  let error: unknown
  try {
    construct()
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(TypeError)
  return (error as TypeError).message.replace(/ The options are .*$/, '')
}

const PG_URL =
  "did you mean 'url' ('postgres://user:password@host:5432/database', or a 'pool' that has these options)?"
const HASH =
  "option 'url' holds a '#', which ends a URL: write a password in it as encodeURIComponent(password) returns it, with %23"
const DRIVER =
  'new SessionStore takes a driver, and then the options: for a database write new RedisStore({ url }), ' +
  'PostgresStore, MongoStore or SqliteStore, and for tests new SessionStore(memoryDriver())'
const MIDDLEWARE = 'it is an option of session(), and not of its store.'
const URI =
  "option 'path' takes a path and no URI: write 'sessions.db' instead of 'file:sessions.db', or './file:…' for such a name"

describe('a mistake is answered at construction with what to write', () => {
  test.each<[title: string, construct: () => unknown, message: string]>([
    [
      'ttl of connect-redis',
      () => make(RedisStore, { url: url.redis, ttl: 86_400 }),
      "unknown option 'ttl': did you mean 'idleTimeout' (milliseconds)?",
    ],
    [
      'host of a client',
      () => make(RedisStore, { host: 'localhost', port: 6379 }),
      "unknown option 'host': did you mean 'url' ('redis://user:password@host:6379/0', or a 'client' that has these options)?",
    ],
    [
      'disableTouch of connect-redis',
      () => make(RedisStore, { url: url.redis, disableTouch: true }),
      "unknown option 'disableTouch': did you mean 'touchAfter' (milliseconds)? Without any touch, users would be signed out at work.",
    ],
    [
      'scanCount of connect-redis',
      () => make(RedisStore, { url: url.redis, scanCount: 100 }),
      "unknown option 'scanCount': leave it out: each step of a scan has a bounded size.",
    ],
    [
      'mongoUrl of connect-mongo',
      () => make(MongoStore, { mongoUrl: url.mongodb }),
      "unknown option 'mongoUrl': did you mean 'url' ('mongodb://user:password@host:27017/app', or a 'client' that has these options)?",
    ],
    [
      'collectionName of connect-mongo',
      () => make(MongoStore, { url: url.mongodb, collectionName: 'logins' }),
      "unknown option 'collectionName': did you mean 'collection' (its name)?",
    ],
    [
      'clientPromise of connect-mongo',
      () => make(MongoStore, { clientPromise: Promise.resolve() }),
      "unknown option 'clientPromise': did you mean 'client'? Await the promise of it first.",
    ],
    [
      'crypto of connect-mongo',
      () => make(MongoStore, { url: url.mongodb, crypto: { secret } }),
      "unknown option 'crypto': did you mean 'seal' ({ keys: [key] }; npx session-stores keygen --secret makes a key)?",
    ],
    [
      'conString of connect-pg-simple',
      () => make(PostgresStore, { conString: url.postgres }),
      `unknown option 'conString': ${PG_URL}`,
    ],
    [
      'conObject of connect-pg-simple',
      () => make(PostgresStore, { conObject: { host: 'localhost' } }),
      `unknown option 'conObject': ${PG_URL}`,
    ],
    [
      'tableName of connect-pg-simple',
      () => make(PostgresStore, { url: url.postgres, tableName: 'session' }),
      "unknown option 'tableName': did you mean 'table' (its name)?",
    ],
    [
      'createTableIfMissing of connect-pg-simple',
      () => make(PostgresStore, { url: url.postgres, createTableIfMissing: true }),
      "unknown option 'createTableIfMissing': did you mean 'createTable' (true is its default)?",
    ],
    [
      'checkPeriod of memorystore',
      () => make(SessionStore, memoryDriver(), { checkPeriod: 86_400_000 }),
      "unknown option 'checkPeriod': did you mean 'pruneInterval' (milliseconds, or false)?",
    ],
    [
      'prefix on a database of tables',
      () => make(SqliteStore, { path, prefix: 'sess:' }),
      "unknown option 'prefix': did you mean 'table' (its name)?",
    ],
    [
      'client of better-sqlite3-session-store',
      () => make(SqliteStore, { client: {} }),
      "unknown option 'client': did you mean 'database' (new Database(file) of 'better-sqlite3')?",
    ],
    [
      'an option of session()',
      () => make(SqliteStore, { path, secret }),
      `unknown option 'secret': ${MIDDLEWARE}`,
    ],
    [
      'a typing error',
      () => make(SqliteStore, { path, idelTimout: 1 }),
      "unknown option 'idelTimout': did you mean 'idleTimeout'?",
    ],
    [
      'another case',
      () => make(SqliteStore, { path, Onconflict: 'merge' }),
      "unknown option 'Onconflict': did you mean 'onConflict'?",
    ],
    [
      'a variable of the environment that is not set',
      () => make(RedisStore, { url: process.env.NO_SUCH_VARIABLE }),
      "option 'url' is undefined; give exactly one of the options 'url' (a URL, perhaps with 'tls') and 'client' (one of 'ioredis' or 'redis')",
    ],
    [
      'a text in place of the options',
      () => make(RedisStore, url.redis),
      'the options must be an object, such as { url: … }',
    ],
    ['no options', () => make(SqliteStore), 'the options must be an object, such as { path: … }'],
    ['no driver', () => make(SessionStore), DRIVER],
    ['a function in place of a driver', () => make(SessionStore, memoryDriver), DRIVER],
    ['options in place of a driver', () => make(SessionStore, { path }), DRIVER],
    [
      'a pg Client',
      () => make(PostgresStore, { pool: new pg.Client() }),
      "option 'pool' takes a pg Pool: write new pg.Pool({ … }) instead of new pg.Client, await a promise of a pool, and give a URL as the option 'url'",
    ],
    [
      'a database of node:sqlite',
      () => make(SqliteStore, { database: new DatabaseSync(':memory:') }),
      "option 'database' takes a better-sqlite3 Database: new Database(file) of 'better-sqlite3', not of node:sqlite; await a promise of one; a file is the option 'path'",
    ],
    [
      'a pool of node-redis',
      () => make(RedisStore, { client: createClientPool() }),
      "option 'client' takes a client: new Redis(url) or new Cluster(…) of 'ioredis', or what createClient, createCluster or createSentinel of 'redis' 5 or 6 return, but no createClientPool and no legacy(); await a promise of one; a URL is the option 'url'",
    ],
    ['a # in a Redis password', () => make(RedisStore, { url: 'redis://me:12#34@h' }), HASH],
    ['a # in a MongoDB password', () => make(MongoStore, { url: 'mongodb://me:12#34@h' }), HASH],
    ['a # in a PostgreSQL password', () => make(PostgresStore, { url: 'postgres://me:12#34@h/d' }), HASH],
    ['a URI as path', () => make(SqliteStore, { path: 'file:sessions.db' }), URI],
    ['a URI as path, in full', () => make(SqliteStore, { path: 'FILE:///tmp/sessions.db' }), URI],
    [
      'tokens without a store',
      () => make(Tokens, { store: undefined }),
      "option 'store' is undefined; it takes a store of this project, such as new RedisStore({ … })",
    ],
    [
      'expiresIn of jsonwebtoken',
      () => make(Tokens, { expiresIn: '5m' }),
      "unknown option 'expiresIn': did you mean 'lifetime' (milliseconds, of an access token)?",
    ],
    [
      'cookie settings of express-session in the preset',
      () => sessions({ secret, cookie: { secure: false } } as never),
      "unknown option 'cookie': the preset sets the cookie; write 'maxAge' or 'sameSite' as options of their own.",
    ],
    [
      'a typing error in the preset',
      () => sessions({ secret, samesite: 'lax' } as never),
      "unknown option 'samesite': did you mean 'sameSite'?",
    ],
    [
      'ttl for a reader of another store',
      () => connectRedis({ client: new Redis({ lazyConnect: true }), ttl: 60 } as never),
      "unknown option 'ttl': leave it out: the rows of that store are only read and removed.",
    ],
    [
      'conString for a reader of another store',
      () => connectPgSimple({ conString: url.postgres } as never),
      "unknown option 'conString': did you mean 'pool' (new pg.Pool({ connectionString }))?",
    ],
  ])('%s', (_title, construct, message) => expect(messageOf(construct)).toBe(message))

  test('a password is in no message', () => {
    const wrong: (() => unknown)[] = [
      () => make(RedisStore, { url: 'redis://me:hunter2#@h' }),
      () => make(RedisStore, 'redis://me:hunter2@h'),
      () => make(MongoStore, { mongoUrl: 'mongodb://me:hunter2@h' }),
      () => make(PostgresStore, { url: 'postgres://me:hunter2#@h', password: 'hunter2' }),
    ]
    for (const construct of wrong) expect(messageOf(construct)).not.toContain('hunter2')
  })
})

describe('every option of another store is answered with advice', () => {
  const advised = (Store: new (...options: never[]) => unknown, name: string) => {
    const message = messageOf(() => make(Store, { [name]: 1 }))
    expect(message).toMatch(/^(unknown option '\w+': .*[.?]|option '\w+' takes .*)$/)
  }
  // The options in the documentation of connect-redis 10, connect-mongo 6, connect-pg-simple 10 and
  // better-sqlite3-session-store 0.1.
  test.each([
    [RedisStore, 'client prefix scanCount serializer ttl disableTTL disableTouch'],
    [
      MongoStore,
      'mongoUrl clientPromise client dbName collectionName mongoOptions ttl autoRemove autoRemoveInterval stringify ' +
        'serialize unserialize transformId crypto cryptoAdapter writeOperationOptions createAutoRemoveIdx timestamps',
    ],
    [
      PostgresStore,
      'pool pgPromise conString conObject schemaName tableName createTableIfMissing ttl disableTouch ' +
        'pruneSessionInterval pruneSessionRandomizedInterval errorLog',
    ],
    [SqliteStore, 'client expired'],
  ])('%o', (Store, names) => {
    for (const name of names.split(' ')) advised(Store as never, name)
  })

  test.each([
    ['redis', REDIS_HINTS, RedisStore],
    ['mongodb', MONGODB_HINTS, MongoStore],
    ['postgres', POSTGRES_HINTS, PostgresStore],
    ['sqlite', SQLITE_HINTS, SqliteStore],
  ])('the hints of %s name options that exist', (_name, hints, Store) => {
    for (const name of Object.keys({ ...STORE_HINTS, ...hints })) {
      let message = ''
      try {
        make(Store as never, { [name]: 1 })
      } catch (error) {
        message = (error as Error).message
      }
      // A hint for a name that is an option would never be seen.
      expect(message).toContain(`unknown option '${name}': `)
      const [, meant] = /did you mean '(\w+)'/.exec(message) ?? []
      const [, known] = / The options are (.*)$/.exec(message)!
      if (meant !== undefined) expect(known!.split(', ')).toContain(meant)
    }
  })
})

test('right options are taken in silence', async () => {
  for (const options of [
    { path },
    { database: new Database(path) },
    { path, idleTimeout: 60_000, seal: undefined },
  ])
    await (make(SqliteStore, { ...options, pruneInterval: false }) as SqliteStore).close()
})
