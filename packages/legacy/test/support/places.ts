import type { LegacyOptions, LegacyReader, SessionStore, StoreOptions } from '@session-stores/core'
import { MongoStore } from '@session-stores/mongodb'
import { PostgresStore } from '@session-stores/postgres'
import { RedisStore } from '@session-stores/redis'
import { SqliteStore } from '@session-stores/sqlite'
import type { DatabaseId } from '@session-stores/testbed/databases'
import Database from 'better-sqlite3'
import betterSqlite3 from 'better-sqlite3-session-store'
import MongoStore6, { createWebCryptoAdapter } from 'connect-mongo'
import MongoStore4 from 'connect-mongo-4'
import connectPgSimple10 from 'connect-pg-simple'
import connectPgSimple8 from 'connect-pg-simple-8'
import { RedisStore as RedisStore10 } from 'connect-redis'
import RedisStore7 from 'connect-redis-7'
import session from 'express-session'
import { Redis } from 'ioredis'
import { MongoClient } from 'mongodb'
import pg from 'pg'
import { createClient } from 'redis'
import { betterSqlite3SessionStore, connectMongo, connectPgSimple, connectRedis } from '../../src/index.ts'

declare module 'express-session' {
  interface SessionData {
    user?: string
    more?: unknown
  }
}

/** Where the sessions of one test are, so that another process can open them, too. */
export interface Place {
  format: FormatId
  /** A URL, or the path of a SQLite file. */
  url: string
  /** Keeps the sessions of tests apart that share a server. */
  namespace: string
}

/** A store of the real package, as an application had it, and a reader of its rows. */
export interface Old {
  store: session.Store
  reader: LegacyReader
  /** Puts this text, and nothing else, in the place of the session. */
  corrupt(id: string, text: string): Promise<unknown>
  close(): Promise<unknown>
}

interface Format {
  database: DatabaseId
  package: string
  open(place: Place): Promise<Old> | Old
}

const SECRET = 'of-the-rows-of-connect-mongo'

const redisPrefix = ({ namespace }: Place): string => `old-${namespace}:`

async function openIoredis(place: Place): Promise<Old> {
  const client = new Redis(place.url)
  const prefix = redisPrefix(place)
  return {
    store: new RedisStore7({ client, prefix }) as unknown as session.Store,
    reader: connectRedis({ client, prefix }),
    corrupt: (id, text) => client.set(prefix + id, text, 'KEEPTTL'),
    close: async () => client.disconnect(),
  }
}

async function openNodeRedis(place: Place): Promise<Old> {
  const client = createClient({ url: place.url })
  client.on('error', () => {})
  await client.connect()
  const prefix = redisPrefix(place)
  return {
    store: new RedisStore10({ client, prefix }) as unknown as session.Store,
    reader: connectRedis({ client, prefix }),
    corrupt: (id, text) => client.set(prefix + id, text, { expiration: 'KEEPTTL' }),
    close: async () => client.destroy(),
  }
}

const MONGO_DATABASE = 'legacy'

type MongoSettings = Partial<Parameters<typeof MongoStore6.create>[0]>

/** What `connectMongo` has to know of these settings. */
const mongoReader = ({ crypto, cryptoAdapter }: MongoSettings): object => ({
  ...(crypto && { crypto }),
  ...(cryptoAdapter && { cryptoAdapter }),
})

const openMongo =
  (Store: typeof MongoStore6, settings: () => MongoSettings = () => ({})) =>
  async ({ url, namespace }: Place): Promise<Old> => {
    const client = await new MongoClient(url).connect()
    const where = { dbName: MONGO_DATABASE, collectionName: `old_${namespace}` }
    const own = settings()
    // The type of the client is that of another version.
    const store = Store.create({ client: client as never, ...where, ...own, autoRemove: 'disabled' })
    return {
      store,
      reader: connectMongo({ client, ...where, ...mongoReader(own) }),
      corrupt: (id, text) =>
        client
          .db(where.dbName)
          .collection<{ _id: string }>(where.collectionName)
          .updateOne({ _id: id }, { $set: { session: text } }),
      close: () => client.close(),
    }
  }

const openPostgres =
  (connect: typeof connectPgSimple10) =>
  async ({ url, namespace }: Place): Promise<Old> => {
    const pool = new pg.Pool({ connectionString: url, max: 8 })
    pool.on('error', () => {})
    await pool.query(`CREATE SCHEMA IF NOT EXISTS "${namespace}"`)
    const Store = connect(session)
    const where = { pool, schemaName: namespace }
    const store = new Store({ ...where, createTableIfMissing: true, pruneSessionInterval: false })
    return {
      store,
      reader: connectPgSimple(where),
      corrupt: (id, text) =>
        pool.query(`UPDATE "${namespace}".session SET sess = $2 WHERE sid = $1`, [id, JSON.stringify(text)]),
      async close() {
        await store.close()
        await pool.end()
      },
    }
  }

function openSqlite({ url }: Place): Old {
  const client = new Database(url, { timeout: 5000 })
  client.pragma('journal_mode = WAL')
  const Store = betterSqlite3(session)
  return {
    // The timer of the package would keep the process alive.
    store: withoutTimer(() => new Store({ client })),
    reader: betterSqlite3SessionStore({ client }),
    corrupt: async (id, text) => client.prepare('UPDATE sessions SET sess = ? WHERE sid = ?').run(text, id),
    close: async () => client.close(),
  }
}

function withoutTimer<T>(make: () => T): T {
  const { setInterval } = globalThis
  globalThis.setInterval = ((...args: Parameters<typeof setInterval>) =>
    setInterval(...args).unref()) as typeof setInterval
  try {
    return make()
  } finally {
    globalThis.setInterval = setInterval
  }
}

const of4 = MongoStore4 as unknown as typeof MongoStore6

export type FormatId =
  | 'connect-redis-7'
  | 'connect-redis-10'
  | 'connect-mongo-4'
  | 'connect-mongo-6'
  | 'connect-mongo-6-documents'
  | 'connect-mongo-4-kruptein'
  | 'connect-mongo-6-webcrypto'
  | 'connect-pg-simple-8'
  | 'connect-pg-simple-10'
  | 'better-sqlite3-session-store'

/** The formats that move in, each written by the oldest and the newest version of its package. */
export const formats: Readonly<Record<FormatId, Format>> = {
  'connect-redis-7': { database: 'redis', package: 'connect-redis-7', open: openIoredis },
  'connect-redis-10': { database: 'redis', package: 'connect-redis', open: openNodeRedis },
  'connect-mongo-4': { database: 'mongodb', package: 'connect-mongo-4', open: openMongo(of4) },
  'connect-mongo-6': { database: 'mongodb', package: 'connect-mongo', open: openMongo(MongoStore6) },
  'connect-mongo-6-documents': {
    database: 'mongodb',
    package: 'connect-mongo',
    open: openMongo(MongoStore6, () => ({ stringify: false, touchAfter: 60 })),
  },
  'connect-mongo-4-kruptein': {
    database: 'mongodb',
    package: 'connect-mongo-4',
    open: openMongo(of4, () => ({ crypto: { secret: SECRET } })),
  },
  'connect-mongo-6-webcrypto': {
    database: 'mongodb',
    package: 'connect-mongo',
    open: openMongo(MongoStore6, () => ({ cryptoAdapter: createWebCryptoAdapter({ secret: SECRET }) })),
  },
  'connect-pg-simple-8': {
    database: 'postgres',
    package: 'connect-pg-simple-8',
    open: openPostgres(connectPgSimple8),
  },
  'connect-pg-simple-10': {
    database: 'postgres',
    package: 'connect-pg-simple',
    open: openPostgres(connectPgSimple10),
  },
  'better-sqlite3-session-store': {
    database: 'sqlite',
    package: 'better-sqlite3-session-store',
    open: openSqlite,
  },
}

export const formatIds: readonly FormatId[] = Object.keys(formats) as FormatId[]

/** Opens the store that an application had at this place. */
export const openOld = async (place: Place): Promise<Old> => formats[place.format].open(place)

/** Opens the store that the application has now, in the same database. */
export function openNew({ format, url, namespace }: Place, options: StoreOptions = {}): SessionStore {
  const all = { pruneInterval: false as const, user: (found: { user?: string }) => found.user, ...options }
  switch (formats[format].database) {
    case 'redis':
      return new RedisStore({ url, prefix: `new-${namespace}:`, ...all })
    case 'postgres':
      return new PostgresStore({ url, table: `new_${namespace}`, ...all })
    case 'mongodb':
      return new MongoStore({ url, database: MONGO_DATABASE, collection: `new_${namespace}`, ...all })
    case 'sqlite':
      return new SqliteStore({ path: url, table: 'app_sessions', ...all })
  }
}

/** A time that no test reaches. */
export const later = (): Date => new Date(Date.now() + 30 * 86_400_000)

/** Returns the option `legacy` for a store that takes over from `old`. */
export const takeOver = ({ reader }: Old, others: Partial<LegacyOptions> = {}): StoreOptions => ({
  legacy: { from: reader, until: later(), ...others },
})

/** Makes a session as express-session gives it to a store. */
export function makeSession(life: number | null, data: object = {}): session.SessionData {
  const Cookie = session.Cookie as unknown as new (options: object) => session.SessionData['cookie']
  return Object.assign({ cookie: new Cookie(life === null ? {} : { maxAge: life }) }, data)
}

/** Calls a method of a store that takes a callback. */
export const call = <T>(start: (callback: (error: unknown, value?: T) => void) => unknown): Promise<T> =>
  new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)))
  })

/** Saves a session with the old store. */
export const saveOld = ({ store }: Old, id: string, data: session.SessionData): Promise<void> =>
  call((done) => store.set(id, data, done))

/** Reads a session with the old store. */
export const readOld = async ({ store }: Old, id: string): Promise<session.SessionData | null> =>
  (await call<session.SessionData | null | undefined>((done) => store.get(id, done))) ?? null
