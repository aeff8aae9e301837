import {
  checkOptions,
  type LegacyReader,
  type LegacySession,
  meant,
  type OptionHints,
  type OptionRule,
  SessionStoreError,
} from '@session-stores/core'
import { type KrupteinOptions, openKruptein } from './kruptein.ts'
import { makeReader, ONLY_READ, parseWith, toRow, toSession } from './rows.ts'

const NAME = 'connect-mongo'

/** The part of a `MongoClient` that the reader uses, of any version. */
export interface LegacyMongoClient {
  db(name?: string): {
    readonly databaseName?: string
    collection(name: string): unknown
    listCollections(filter: object): { toArray(): Promise<unknown[]> }
  }
}

interface Collection {
  findOne(filter: object): Promise<unknown>
  find(filter: object): { sort(order: object): { limit(count: number): { toArray(): Promise<unknown[]> } } }
  deleteOne(filter: object): Promise<unknown>
  estimatedDocumentCount(): Promise<number>
}

/** The options of `connectMongo`, named as in connect-mongo. */
export interface ConnectMongoOptions {
  /** A connected `MongoClient`. */
  client: LegacyMongoClient
  /**
   * The database.
   *
   * @default the database that the client's URL names, or 'test'
   */
  dbName?: string
  /**
   * The collection.
   *
   * @default 'sessions'
   */
  collectionName?: string
  /**
   * The function that connect-mongo had. Such rows do not tell the ids of their sessions, so
   * sessions move in at their requests, and `migrate` cannot move them.
   */
  transformId?: (id: string) => string
  /** The function that connect-mongo had. Sessions with `stringify: false` need none. */
  unserialize?: (value: never) => unknown
  /** The option `crypto` of connect-mongo, for which the package `kruptein` must be installed. */
  crypto?: KrupteinOptions
  /**
   * The option `cryptoAdapter` of connect-mongo 6, such as `createWebCryptoAdapter({ secret })` of
   * that package.
   */
  cryptoAdapter?: {
    /** Turns the stored text into the session's. */
    decrypt(ciphertext: string): Promise<string>
  }
}

const isFunction = (value: unknown) => typeof value === 'function'
const isName = (value: unknown) => typeof value === 'string' && value !== ''
const rules: Record<keyof ConnectMongoOptions, OptionRule> = {
  client: [
    'a connected MongoClient; await a promise of one',
    (value) => isFunction((value as { db?: unknown } | null)?.db),
  ],
  dbName: ['the name of a database', isName],
  collectionName: ['the name of a collection', isName],
  transformId: ['the function that connect-mongo had', isFunction],
  unserialize: ['the function that connect-mongo had', isFunction],
  crypto: [
    '{ secret, … }, as connect-mongo had it',
    (value) => isName((value as { secret?: unknown } | null)?.secret),
  ],
  cryptoAdapter: [
    '{ decrypt(text) }, as createWebCryptoAdapter of connect-mongo 6 returns it',
    (value) => isFunction((value as { decrypt?: unknown } | null)?.decrypt),
  ],
}

/** Options of connect-mongo that decide how it connects and writes. */
const HINTS: OptionHints = {
  mongoUrl: meant('client', 'new MongoClient(mongoUrl)'),
  url: meant('client', 'new MongoClient(url)'),
  clientPromise: `${meant('client')} Await the promise of it first.`,
  mongoOptions: meant('client', 'new MongoClient(url, mongoOptions)'),
  database: meant('dbName'),
  collection: meant('collectionName'),
  ttl: ONLY_READ,
  touchAfter: ONLY_READ,
  autoRemove: ONLY_READ,
  autoRemoveInterval: ONLY_READ,
  stringify: ONLY_READ,
  serialize: ONLY_READ,
  writeOperationOptions: ONLY_READ,
}

interface StoredRow {
  _id: string
  session?: unknown
  expires?: unknown
}

/**
 * Reads the sessions of connect-mongo 4 to 6, with and without `stringify`, plain and encrypted.
 *
 * @throws TypeError for a wrong option.
 * @example
 * new MongoStore({ client, collection: 'app', legacy: { from: connectMongo({ client }), until } })
 */
export function connectMongo(options: ConnectMongoOptions): LegacyReader {
  checkOptions(options, rules, { required: ['client'], hints: HINTS })
  const { client, dbName, collectionName = 'sessions', transformId, unserialize, crypto } = options
  if (crypto && options.cryptoAdapter)
    throw new TypeError("give one of the options 'crypto' and 'cryptoAdapter', as connect-mongo had it")
  const adapter = options.cryptoAdapter ?? (crypto && openKruptein(crypto))
  const db = client.db(dbName)
  const database = db.databaseName
  const rows = db.collection(collectionName) as Collection

  async function decrypt(text: string): Promise<string> {
    try {
      return await adapter!.decrypt(text)
    } catch (error) {
      if (error instanceof SessionStoreError) throw error
      throw new SessionStoreError('SEAL_BROKEN', `${NAME}: a row cannot be decrypted with this key`)
    }
  }

  async function toValue(stored: unknown): Promise<unknown> {
    let value = stored
    if (adapter && typeof value === 'string') {
      const text = await decrypt(value)
      // Kruptein encrypts the JSON of its argument, which is a text already unless `stringify` is off.
      value = await parseWith(NAME, JSON.parse, text).catch(() => text)
    }
    if (unserialize)
      return parseWith(NAME, unserialize as (input: unknown) => unknown as never, value as never)
    return typeof value === 'string' ? parseWith(NAME, JSON.parse, value) : value
  }

  async function decode({ session, expires }: StoredRow): Promise<LegacySession> {
    if (expires !== undefined && !(expires instanceof Date))
      throw new SessionStoreError('CORRUPT', `${NAME}: a row has no date in 'expires'`)
    return { session: toSession(NAME, await toValue(session)), expiresAt: expires?.getTime() }
  }

  const filterOf = (id: string) => ({ _id: transformId ? transformId(id) : id })

  return makeReader({
    name: NAME,
    hint: `look at 'dbName', 'collectionName' ('${collectionName}') and 'crypto'`,
    refuse({ name, place }) {
      const isSame =
        place === collectionName ||
        (database === undefined
          ? place.endsWith(`.${collectionName}`)
          : place === `${database}.${collectionName}`)
      if (name !== 'mongodb' || !isSame) return undefined
      return (
        `connect-mongo keeps its sessions in the collection '${collectionName}', and so does this store; give the ` +
        "store another collection, such as collection: 'app_sessions'"
      )
    },
    async read(id) {
      const row = await rows.findOne(filterOf(id))
      return row === null ? null : decode(row as StoredRow)
    },
    async delete(id) {
      await rows.deleteOne(filterOf(id))
    },
    async scan({ after = '', limit }) {
      if (transformId) throw noScan()
      const cursor = rows.find({ _id: { $gt: after } })
      const stored = (await cursor.sort({ _id: 1 }).limit(limit).toArray()) as StoredRow[]
      const found = await Promise.all(stored.map((row) => toRow(row._id, () => decode(row))))
      return { rows: found, next: stored.length < limit ? undefined : stored.at(-1)!._id }
    },
    count: () => rows.estimatedDocumentCount(),
    async find() {
      if ((await db.listCollections({ name: collectionName }).toArray()).length > 0) return
      const message = `${NAME}: there is no collection '${collectionName}' in the database '${database}'`
      throw new SessionStoreError('BAD_STORAGE', message)
    },
  })
}

const noScan = (): SessionStoreError =>
  new SessionStoreError(
    'BAD_STORAGE',
    "connect-mongo had the option 'transformId', so its rows do not tell the ids of their sessions: leave the option " +
      "'legacy' on until they have ended, instead of migrating them",
  )
