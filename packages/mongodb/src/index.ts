import {
  checkOptions,
  type Driver,
  type OptionRule,
  SessionStore,
  SessionStoreError,
  type StoreOptions,
  splitOptions,
  type Write,
} from '@session-stores/core'
import { connection, type MongoClient, URL_FORM } from './client.ts'
import { type Document, REFUSED, toDocument, toRow, toTouch, toUpsert } from './documents.ts'
import { explained, isPassing } from './errors.ts'
import { MAX_PAYLOAD, parts } from './parts.ts'

export type { MongoClient, MongoDatabase } from './client.ts'

/** Either `url` or `client`. */
export type MongoOptions = (
  | {
      /** `mongodb://…` or `mongodb+srv://…`, with all that it may name. `close()` ends the connections, which keep the process alive until then. */
      url: string
      client?: undefined
    }
  | {
      /** A `MongoClient`, connected or not; `close()` leaves it open. */
      client: MongoClient
      url?: undefined
    }
) & {
  /** Default: the one that the URL names, or `test`. */
  database?: string
  /** The collection of the sessions, made where it is missing. Default `sessions`. */
  collection?: string
}

const rules: Record<keyof MongoOptions, OptionRule> = {
  url: [URL_FORM, (value) => typeof value === 'string' && /^mongodb(\+srv)?:\/\/./.test(value)],
  client: ['a MongoClient', (value) => typeof (value as MongoClient | null)?.db === 'function'],
  database: [
    'the name of a database: not empty, at most 63 characters, none of /\\. "$*<>:|? and NUL',
    (value) => typeof value === 'string' && /^[^/\\. "$*<>:|?\0]{1,63}$/.test(value),
  ],
  collection: [
    "the name of a collection: not empty, no '$', no NUL, not beginning with '.' or 'system.'",
    (value) => typeof value === 'string' && /^(?!\.|system\.)[^$\0]+$/.test(value),
  ],
}

/** How many documents `clear` removes at a time. */
const STEP = 1000
/**
 * How long a command is sent again that a failover or a broken connection ended, and how long a write waits for a
 * majority. Milliseconds.
 */
const LONGEST_WAIT = 4000

/** Numbers come as numbers, ids of cursors as they are; text is not checked again, for it was when it was stored. */
const decoding = {
  promoteValues: true,
  promoteLongs: false,
  promoteBuffers: true,
  enableUtf8Validation: false,
}

/**
 * Sessions in a collection, one document each. Everything is a plain command: these go to the primary, whatever
 * the client prefers, and cost a third less than its own methods. Each is harmless to send again.
 * Throws a `TypeError` for a wrong option; connects with the first call.
 */
export function mongoDriver(options: MongoOptions): Driver {
  checkOptions(options, rules)
  const { url, client: lent, database, collection = 'sessions' } = options
  if ((url === undefined) === (lent === undefined))
    throw new TypeError("give one of the options 'url' and 'client' (a MongoClient)")
  const owned = url === undefined ? undefined : connection(url)
  const client: MongoClient = lent ?? owned!
  const db = client.db(database)
  const { w, j, wtimeout } = db.writeConcern ?? {}
  // A logout that only one server knows would be undone by the next failover. Without a limit it keeps its connection
  // for as long as there is no majority, and in the end all of them.
  const writeConcern = { w: w || 'majority', ...(j && { j }), wtimeout: wtimeout || LONGEST_WAIT }
  let isConnected = false
  let isClosed = false

  async function run<T extends object>(command: Record<string, unknown>): Promise<T> {
    const end = performance.now() + LONGEST_WAIT
    for (;;) {
      if (isClosed) throw new SessionStoreError('CLOSED', 'the MongoDB driver was closed')
      try {
        // A client whose first command met no server refuses all others: it must be told to connect.
        if (!isConnected) await client.connect()
        isConnected = true
        const reply = (await db.command(command, decoding)) as T & Failures
        const failure = reply.writeErrors?.find(({ code }) => code !== DUPLICATE_KEY && code !== REFUSED)
        if (failure ?? reply.writeConcernError) throw failure ?? reply.writeConcernError
        return reply
      } catch (error) {
        if (!isPassing(error) || performance.now() > end) throw explained(error)
      }
    }
  }

  /** Sends statements side by side; returns which of them failed, by their numbers, and why. */
  async function send(kind: 'insert' | 'update', statements: readonly object[]): Promise<WriteError[]> {
    const field = kind === 'insert' ? 'documents' : 'updates'
    const command = { [kind]: collection, [field]: statements, ordered: false, writeConcern }
    return (await run<Failures>(command)).writeErrors ?? []
  }

  /** Returns the new sessions that met an old row. That is rare, and an insert costs a fifth of an upsert. */
  async function insert(writes: readonly Write[]): Promise<Write[]> {
    if (writes.length === 0) return []
    const met = await send('insert', writes.map(toDocument))
    return met.map(({ index }) => writes[index]!)
  }

  /** Returns the writes that were refused. */
  async function upsert(writes: readonly Write[], now: number, isFirst = true): Promise<Write[]> {
    if (writes.length === 0) return []
    const statements = writes.map((write) => toUpsert(write, now))
    const failed = Object.groupBy(await send('update', statements), ({ code }) => code)
    const writesOf = (errors: WriteError[] = []) => errors.map(({ index }) => writes[index]!)
    // Two inserted the same row at once: the slower one finds it now.
    const raced = writesOf(failed[DUPLICATE_KEY])
    if (raced.length > 0 && !isFirst) throw explained({ code: DUPLICATE_KEY })
    return [...writesOf(failed[REFUSED]), ...(await upsert(raced, now, false))]
  }

  async function keysOf(query: object, limit: number): Promise<string[]> {
    const { cursor } = await run<Found>({
      find: collection,
      ...query,
      projection: { _id: 1 },
      limit,
      batchSize: limit,
      singleBatch: true,
    })
    return cursor.firstBatch.map(({ _id }) => _id)
  }

  async function remove(deletes: readonly object[]): Promise<number> {
    if (deletes.length === 0) return 0
    return (await run<{ n: number }>({ delete: collection, deletes, ordered: false, writeConcern })).n
  }

  const driver: Driver = {
    name: 'mongodb',
    async setup() {
      const indexes = [
        // MongoDB removes documents by this, an hour or two after their deadlines: clocks of servers differ.
        { name: 'purgeAt_1', key: { purgeAt: 1 }, expireAfterSeconds: 0 },
        { name: USER_INDEX, key: { user: 1, _id: 1 }, partialFilterExpression: { user: { $gt: '' } } },
      ]
      await run({ createIndexes: collection, indexes })
    },
    async read(keys) {
      const filter = { _id: keys.length === 1 ? keys[0] : { $in: keys } }
      const { cursor } = await run<Found>({ find: collection, filter, batchSize: keys.length + 1 })
      const rows = cursor.firstBatch.map(toRow).filter((row) => row !== undefined)
      if (String(cursor.id) === '0') return rows
      // An answer of 16 MiB, and there is more.
      await run({ killCursors: collection, cursors: [cursor.id] })
      const found = new Set(cursor.firstBatch.map(({ _id }) => _id))
      return [...rows, ...(await driver.read(keys.filter((key) => !found.has(key))))]
    },
    async write(writes, now) {
      const refused = new Set<Write>()
      for (const part of parts(writes)) {
        const { create = [], other = [] } = Object.groupBy(part, kindOf)
        const both = await Promise.all([insert(create).then((met) => upsert(met, now)), upsert(other, now)])
        for (const write of both.flat()) refused.add(write)
      }
      return writes.filter((write) => !refused.has(write)).map(({ key }) => key)
    },
    async touch(touches, now) {
      // Core rounds deadlines, so that most of a batch share one.
      const groups = Map.groupBy(touches, ({ expiresAt }) => expiresAt)
      const statements = [...groups].map(([expiresAt, group]) => toTouch(expiresAt, group, now))
      await send('update', statements)
    },
    async list({ user, after = '', limit }) {
      const filter = { ...(user !== undefined && { user }), _id: { $gt: after } }
      const hint = user === undefined ? '_id_' : USER_INDEX
      const keys = await keysOf({ filter, sort: { _id: 1 }, hint }, limit + 1)
      if (keys.length <= limit) return { keys }
      keys.length = limit
      return { keys, next: keys[limit - 1] }
    },
    async count(now) {
      const pipeline = [{ $match: { expiresAt: { $gt: now } } }, { $count: 'count' }]
      const { cursor } = await run<Counted>({ aggregate: collection, pipeline, cursor: {} })
      return cursor.firstBatch[0]?.count ?? 0
    },
    async prune(before, limit) {
      const expired = { purgeAt: { $lt: new Date(before) } }
      const keys = await keysOf({ filter: expired }, limit)
      return remove(keys.length > 0 ? [{ q: { _id: { $in: keys }, ...expired }, limit: 0 }] : [])
    },
    async clear() {
      let after: string | undefined
      do {
        const { keys, next } = await driver.list({ after, limit: STEP })
        // One by one: a statement on many misses those that move from shard to shard meanwhile.
        await remove(keys.map((_id) => ({ q: { _id, tag: { $gt: '' } }, limit: 1 })))
        after = next
      } while (after !== undefined)
    },
    async ping() {
      await run({ ping: 1 })
    },
    async close() {
      isClosed = true
      await owned?.close()
    },
  }
  return driver
}

/** express-session's store on MongoDB: a server, a replica set or a sharded cluster. */
export class MongoStore extends SessionStore {
  /** Throws a `TypeError` for a wrong option. */
  constructor(options: MongoOptions & StoreOptions) {
    const [own, rest] = splitOptions<MongoOptions>(options, rules)
    // The driver refuses more, but with it all that is saved in the same batch.
    if ((rest.maxPayload ?? 0) > MAX_PAYLOAD)
      throw new TypeError(`option 'maxPayload' takes at most ${MAX_PAYLOAD} bytes, for MongoDB takes no more`)
    super(mongoDriver(own), rest)
  }
}

const USER_INDEX = 'user_1__id_1'
const DUPLICATE_KEY = 11_000

interface Found {
  cursor: { id: unknown; firstBatch: Document[] }
}

interface Counted {
  cursor: { firstBatch: { count: number }[] }
}

interface WriteError {
  index: number
  code: number
}

interface Failures {
  writeErrors?: WriteError[]
  writeConcernError?: { code: number }
}

const kindOf = ({ expect, data }: Write): 'create' | 'other' =>
  expect === '' && data !== null ? 'create' : 'other'
