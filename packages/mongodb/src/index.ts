import {
  checkOptions,
  type Driver,
  exactlyOne,
  type OptionRule,
  pageOf,
  refuseFragment,
  type Schema,
  SessionStore,
  type StoreOptions,
  splitOptions,
  timers,
} from '@session-stores/core'
import { isClient, type MongoClient, URL_FORM } from './client.ts'
import { Commands, DEFAULT_TIME_LIMIT, type Found } from './commands.ts'
import { HINTS } from './hints.ts'
import { PURGE_INDEX, SCHEMA, type Step, toRow, USER_INDEX } from './row.ts'
import { MAX_PAYLOAD } from './size.ts'
import { toRemoval, toTouches } from './statements.ts'
import { Writes } from './writes.ts'

export type { MongoClient, MongoDatabase } from './client.ts'

/** The options of the driver: either `url` or `client`, and where the collection is. */
export type MongoOptions = (
  | {
      /**
       * `mongodb://…` or `mongodb+srv://…`, with all the options of a connection string. `close()`
       * ends the connections, which keep the process alive until then.
       */
      url: string
      client?: undefined
    }
  | {
      /** A `MongoClient`, connected or not. `close()` leaves it open. */
      client: MongoClient
      url?: undefined
    }
) & {
  /**
   * The database.
   *
   * @default the database that the URL names, or 'test'
   */
  database?: string
  /**
   * The collection of the sessions, which is made where it is missing.
   *
   * @default 'sessions'
   */
  collection?: string
}

const rules: Record<keyof MongoOptions, OptionRule> = {
  url: [
    URL_FORM,
    (value) =>
      typeof value === 'string' && /^mongodb(\+srv)?:\/\/./.test(value) && (refuseFragment(value) ?? true),
  ],
  client: [
    "a MongoClient: write new MongoClient(url) with 'mongodb', or connection.getClient() with mongoose; await a " +
      "promise of a client; give a URL as the option 'url', and the name of a Db as the option 'database'",
    isClient,
  ],
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
const CLEAR_STEP = 1000

/** The reply to the `aggregate` of `count`. */
interface Counted {
  cursor: { firstBatch: { count: number }[] }
}

/**
 * Returns a driver that keeps sessions in a collection of MongoDB, one document each, for a
 * `SessionStore` of your own making. The driver connects with the first call. It sends plain
 * commands only. See docs/decisions/0009-plain-mongodb-commands.md.
 *
 * This is one function, because its verbs share one set of commands.
 *
 * @param schema the schema of the collection, for tests of a schema before its release.
 * @throws TypeError for a wrong option.
 * @example
 * const store = new SessionStore(mongoDriver({ client, database: 'app' }))
 */
export function mongoDriver(options: MongoOptions, schema: Schema<Step> = SCHEMA): Driver {
  checkOptions(options, rules, { hints: HINTS })
  exactlyOne(options, { url: 'a connection string', client: 'a MongoClient' })
  const { url, client, database, collection = 'sessions' } = options
  const commands = new Commands({ url, client, database }, collection, schema)
  const writer = new Writes(commands)

  const driver: Driver = {
    name: 'mongodb',
    place: commands.place,
    async setup(timeLimit = DEFAULT_TIME_LIMIT) {
      await commands.setTimeLimit(timeLimit)
      await Promise.all([commands.readClock(), commands.prepareCollection()])
    },
    async read(keys) {
      const filter = { _id: keys.length === 1 ? keys[0] : { $in: keys } }
      const { cursor } = await commands.run<Found>({ find: collection, filter, batchSize: keys.length + 1 })
      const rows = cursor.firstBatch.map(toRow).filter((row) => row !== undefined)
      if (String(cursor.id) === '0') return rows
      // The answer was full at 16 MiB, and there are more rows.
      await commands.run({ killCursors: collection, cursors: [cursor.id] })
      const found = new Set(cursor.firstBatch.map(({ _id }) => _id))
      return [...rows, ...(await driver.read(keys.filter((key) => !found.has(key))))]
    },
    write: (writes, now) => writer.write(writes, now),
    async touch(touches, now) {
      const begun = timers.uptime()
      const latest = new Date(0)
      await commands.send('update', toTouches(touches, now, latest), latest, begun)
    },
    async list({ user, after = '', limit }) {
      const filter = { ...(user !== undefined && { user }), _id: { $gt: after } }
      const hint = user === undefined ? '_id_' : USER_INDEX
      return pageOf(await commands.findKeys({ filter, sort: { _id: 1 }, hint }, limit + 1), limit)
    },
    async count(now) {
      const pipeline = [{ $match: { expiresAt: { $gt: now }, tag: { $gt: '' } } }, { $count: 'count' }]
      const command = { aggregate: collection, pipeline, cursor: {} }
      const { cursor } = await commands.runPatiently<Counted>(command)
      return cursor.firstBatch[0]?.count ?? 0
    },
    async prune(before, limit) {
      const begun = timers.uptime()
      // The server's clock decides, too, because a process whose clock is ahead must not end
      // sessions.
      const expired = { purgeAt: { $lt: new Date(before) }, $expr: { $lt: ['$purgeAt', '$$NOW'] } }
      const keys = await commands.findKeys({ filter: expired, hint: PURGE_INDEX }, limit)
      if (keys.length === 0) return 0
      const removal = { q: { _id: { $in: keys }, ...expired }, limit: 0 }
      return (await commands.send('delete', [removal], new Date(0), begun)).n
    },
    async clear(signal) {
      let after: string | undefined
      do {
        const begun = timers.uptime()
        const { keys, next } = await driver.list({ after, limit: CLEAR_STEP })
        if (signal?.aborted) return
        // Each document has a statement of its own, because a statement on many documents misses
        // those that move from shard to shard meanwhile.
        const latest = new Date(0)
        const removals = keys.map((key) => toRemoval(key, latest))
        if (removals.length > 0) await commands.send('delete', removals, latest, begun)
        after = next
      } while (after !== undefined)
    },
    ping: () => commands.readClock(),
    close: () => commands.close(),
  }
  return driver
}

/**
 * The store of express-session on MongoDB: one server, a replica set or a sharded cluster. The
 * options of the driver and those of every store go into one object.
 *
 * @example
 * const store = new MongoStore({ url: 'mongodb://localhost:27017/app', idleTimeout: 30 * 60_000 })
 * app.use(session({ store, secret, resave: false, saveUninitialized: false }))
 */
export class MongoStore extends SessionStore {
  /**
   * Opens nothing: the first call does.
   *
   * @throws TypeError for a wrong option, or for a `maxPayload` above 16,773,120 bytes.
   */
  constructor(options: MongoOptions & StoreOptions) {
    const [own, rest] = splitOptions<MongoOptions>(options, rules, HINTS)
    // The driver refuses a larger session, too, but with it all others in the same batch.
    if ((rest.maxPayload ?? 0) > MAX_PAYLOAD)
      throw new TypeError(
        `option 'maxPayload' takes at most ${MAX_PAYLOAD} bytes, because MongoDB takes no larger documents`,
      )
    super(mongoDriver(own), rest)
  }
}
