import {
  checkOptions,
  type Driver,
  type OptionRule,
  SessionStore,
  SessionStoreError,
  type StoreOptions,
  splitOptions,
  timers,
  UncertainWriteError,
  type Write,
} from '@session-stores/core'
import { connection, type Limits, limitsOf, type MongoClient, URL_FORM } from './client.ts'
import { didNothing, explained, isMissingIndex, isPassing } from './errors.ts'
import { MAX_PAYLOAD, parts } from './parts.ts'
import {
  type Document,
  LATE,
  REFUSED,
  toRemoval,
  toRow,
  toTouches,
  toUpdate,
  toUpsert,
} from './statements.ts'

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
  client: [
    "a MongoClient: write new MongoClient(url) with 'mongodb', or connection.getClient() with mongoose; await a promise " +
      "of one; a URL is the option 'url', a Db the option 'database' by its name",
    (value) => ['db', 'connect'].every((name) => typeof (value as never)?.[name] === 'function'),
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
const STEP = 1000
/** Core waits so many times as long for an answer about all sessions. */
const WHOLE_STORE = 12
/** How long a call is waited for where `setup` was not told. Milliseconds. */
const DEFAULT_TIME_LIMIT = 5000

const { pause, setTimeout, uptime: elapsed } = timers

/** Numbers come as numbers, ids of cursors as they are; text is not checked again, for it was when it was stored. */
const decoding = {
  promoteValues: true,
  promoteLongs: false,
  promoteBuffers: true,
  enableUtf8Validation: false,
}

/** The client, and what follows from the time limit. */
interface Link {
  readonly limits: Limits
  readonly client: MongoClient
  /** To be closed. */
  readonly owned: ReturnType<typeof connection> | undefined
  readonly db: ReturnType<MongoClient['db']>
  readonly writeConcern: object
  isConnected: boolean
}

/**
 * Sessions in a collection, one document each. Everything is a plain command: these go to the primary, whatever
 * the client prefers, and cost a third less than its own methods.
 * Throws a `TypeError` for a wrong option; connects with the first call.
 */
export function mongoDriver(options: MongoOptions): Driver {
  checkOptions(options, rules)
  const { url, client: lent, database, collection = 'sessions' } = options
  if ((url === undefined) === (lent === undefined))
    throw new TypeError("give one of the options 'url' and 'client' (a MongoClient)")
  let link = makeLink(DEFAULT_TIME_LIMIT)
  let isClosed = false
  /** What the server's clock was at the zero of `elapsed`, or earlier; unknown where it may be another server. */
  let serverEpoch: number | undefined
  /** When a server answered last, as `elapsed` has it. */
  let answeredAt = Number.NEGATIVE_INFINITY
  let sending: { until: number; options: object } = { until: Number.NEGATIVE_INFINITY, options: decoding }

  function makeLink(timeLimit: number, patience = 1): Link {
    const limits = limitsOf(timeLimit, patience)
    const owned = url === undefined ? undefined : connection(url, limits)
    const client: MongoClient = lent ?? owned!
    const db = client.db(database)
    const { w, j, wtimeout } = db.writeConcern ?? {}
    // A logout that only one server knows would be undone by the next failover. Without a limit it keeps its
    // connection for as long as there is no majority, and in the end all of them.
    const writeConcern = { w: w || 'majority', ...(j && { j }), wtimeout: wtimeout || limits.waiting }
    return {
      limits,
      client,
      owned,
      db,
      writeConcern,
      isConnected: false,
    }
  }

  /**
   * What a command is sent with now. Where the last answer is not quite fresh it may wait for a server, a connection or
   * an answer, and is given up in time. A signal is not for every command, for it costs the client half a lookup.
   */
  function optionsOfCommand(): object {
    const now = elapsed()
    const { answer, slice } = link.limits
    if (now - answeredAt < slice) return decoding
    if (now > sending.until) {
      sending = { until: now + slice, options: givenUpIn(answer, gaveNoAnswer()) }
    }
    return sending.options
  }

  /** Rejects with what the client threw or the server said. Says so where a try before the last may have done the work. */
  async function run<T extends object>(command: Record<string, unknown>, through?: Link): Promise<T & Reply> {
    const begun = elapsed()
    let options: object | undefined
    let isUncertain = false
    let isMended = false
    for (let tries = 1; ; tries++) {
      if (isClosed) throw new SessionStoreError('CLOSED', 'the MongoDB driver was closed')
      const used = through ?? link
      try {
        // A client whose first command met no server refuses all others: it must be told to connect.
        if (!used.isConnected) await used.client.connect()
        used.isConnected = true
        const sentWith = options ?? (through ? decoding : optionsOfCommand())
        const reply = (await used.db.command(command, sentWith)) as T & Reply
        answeredAt = elapsed()
        const failure = reply.writeErrors?.find(({ code }) => !decisions.includes(code))
        if (failure ?? reply.writeConcernError) throw failure ?? reply.writeConcernError
        if (isUncertain) reply.isUncertain = true
        return reply
      } catch (error) {
        answeredAt = Number.NEGATIVE_INFINITY
        if (isMissingIndex(error) && !isMended) {
          isMended = true
          await makeIndexes()
          continue
        }
        const { waiting, answer } = used.limits
        const passed = elapsed() - begun
        if (!isPassing(error) || passed > waiting) throw explained(error)
        options ??= givenUpIn(answer - passed, explained(error))
        isUncertain ||= !didNothing(error)
        serverEpoch = undefined
        // A server that takes connections and breaks them must not get hundreds a second.
        if (tries > 1) await pause(Math.min(waiting / 8, 50 * 2 ** tries))
      }
    }
  }

  async function makeIndexes(): Promise<void> {
    const indexes = [
      // MongoDB removes documents by this, an hour or two after their deadlines: clocks of servers differ.
      { name: PURGE_INDEX, key: { purgeAt: 1 }, expireAfterSeconds: 0 },
      { name: USER_INDEX, key: { user: 1, _id: 1 }, partialFilterExpression: { user: { $gt: '' } } },
    ]
    await run({ createIndexes: collection, indexes })
  }

  /** Returns the time of the server's clock, in epoch milliseconds. */
  async function readClock(): Promise<number> {
    const { localTime } = await run<{ localTime: Date }>({ hello: 1 })
    const time = localTime.getTime()
    // It was that time a moment ago: so what is too late by this is never in time.
    serverEpoch = time - elapsed()
    return time
  }

  /**
   * Sends statements side by side; the reply tells which of them failed, by their numbers, and why. `begun`: when the
   * call began. What reaches the server after the time limit does nothing: `latest`, a part of the statements, is set.
   */
  async function send(
    kind: 'update' | 'delete',
    statements: readonly object[],
    latest: Date,
    begun: number,
  ): Promise<Reply> {
    const { writeConcern, limits } = link
    const command = {
      [kind]: collection,
      [`${kind}s`]: statements,
      ordered: false,
      writeConcern,
      // A lock that it waits for may outlast the caller.
      maxTimeMS: limits.waiting,
    }
    let isUncertain = false
    for (;;) {
      if (serverEpoch === undefined) await readClock()
      latest.setTime(serverEpoch! + begun + limits.timeLimit)
      const reply = await run(command)
      isUncertain ||= reply.isUncertain === true
      if (!reply.writeErrors?.some(({ code }) => code === LATE)) {
        if (isUncertain) reply.isUncertain = true
        return reply
      }
      // All of them were late, or the server's clock was set.
      if (elapsed() - begun >= limits.timeLimit) throw gaveNoAnswer()
      serverEpoch = undefined
    }
  }

  /** What is refused is sent again, to tell apart why: that is rare, and the usual statement costs less for it. */
  async function update(writes: readonly Write[], now: number, begun: number): Promise<Refusals> {
    if (writes.length === 0) return none
    const latest = new Date(0)
    const statements = writes.map((write) => toUpdate(write, now, latest))
    const { writeErrors, isUncertain } = await send('update', statements, latest, begun)
    if (writeErrors === undefined) return none
    const refused = writeErrors.map(({ index }) => writes[index]!)
    return upsert(refused, now, begun, isUncertain)
  }

  /**
   * Creates and ends sessions. An insert would cost a third as much, but it cannot be told a time from
   * which on it does nothing.
   */
  async function upsert(
    writes: readonly Write[],
    now: number,
    begun: number,
    wasUncertain = false,
    isFirst = true,
  ): Promise<Refusals> {
    if (writes.length === 0) return none
    const latest = new Date(0)
    const statements = writes.map((write) => toUpsert(write, now, latest))
    const reply = await send('update', statements, latest, begun)
    if (reply.writeErrors === undefined) return none
    const isUncertain = wasUncertain || reply.isUncertain === true
    const failed = Object.groupBy(reply.writeErrors, ({ code }) => code)
    const writesOf = (errors: WriteError[] = []) => errors.map(({ index }) => writes[index]!)
    const refused = writesOf(failed[REFUSED])
    // Two inserted the same row at once: the slower one finds it now.
    const raced = writesOf(failed[DUPLICATE_KEY])
    if (raced.length > 0 && !isFirst) throw explained({ code: DUPLICATE_KEY })
    const others = await upsert(raced, now, begun, isUncertain, false)
    return {
      refused: [...refused, ...others.refused],
      isUncertain: (isUncertain && refused.length > 0) || others.isUncertain,
    }
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

  const driver: Driver = {
    name: 'mongodb',
    place: link.db.databaseName === undefined ? collection : `${link.db.databaseName}.${collection}`,
    async setup(timeLimit = DEFAULT_TIME_LIMIT) {
      if (timeLimit !== link.limits.timeLimit && !isClosed) {
        const before = link.owned
        link = makeLink(timeLimit)
        sending.until = Number.NEGATIVE_INFINITY
        await before?.close()
      }
      await Promise.all([readClock(), makeIndexes()])
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
      const begun = elapsed()
      const refused = new Set<Write>()
      let isUncertain = false
      for (const part of parts(writes)) {
        const { saved = [], other = [] } = Object.groupBy(part, kindOf)
        const all = await Promise.all([update(saved, now, begun), upsert(other, now, begun)])
        for (const refusals of all) {
          for (const write of refusals.refused) refused.add(write)
          isUncertain ||= refusals.isUncertain
        }
      }
      const landed = writes.filter((write) => !refused.has(write)).map(({ key }) => key)
      if (isUncertain) throw new UncertainWriteError(landed)
      return landed
    },
    async touch(touches, now) {
      const begun = elapsed()
      const latest = new Date(0)
      await send('update', toTouches(touches, now, latest), latest, begun)
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
      const command = { aggregate: collection, pipeline, cursor: {} }
      const patient = makeLink(link.limits.timeLimit, WHOLE_STORE)
      try {
        const { cursor } = await run<Counted>(command, patient)
        return cursor.firstBatch[0]?.count ?? 0
      } finally {
        await patient.owned?.close()
      }
    },
    async prune(before, limit) {
      const begun = elapsed()
      // By the server's clock, too: one that is ahead here must not end what lives.
      const expired = { purgeAt: { $lt: new Date(before) }, $expr: { $lt: ['$purgeAt', '$$NOW'] } }
      const keys = await keysOf({ filter: expired, hint: PURGE_INDEX }, limit)
      if (keys.length === 0) return 0
      const removal = { q: { _id: { $in: keys }, ...expired }, limit: 0 }
      return (await send('delete', [removal], new Date(0), begun)).n
    },
    async clear() {
      let after: string | undefined
      do {
        const begun = elapsed()
        const { keys, next } = await driver.list({ after, limit: STEP })
        // One by one: a statement on many misses those that move from shard to shard meanwhile.
        const latest = new Date(0)
        const removals = keys.map((key) => toRemoval(key, latest))
        if (removals.length > 0) await send('delete', removals, latest, begun)
        after = next
      } while (after !== undefined)
    },
    ping: readClock,
    async close() {
      isClosed = true
      await link.owned?.close()
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

const PURGE_INDEX = 'purgeAt_1'
const USER_INDEX = 'user_1__id_1'
const DUPLICATE_KEY = 11_000
/** What a statement decided, by the number of its error; any other is a failure. */
const decisions: readonly number[] = [DUPLICATE_KEY, REFUSED, LATE]

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

interface Reply {
  /** How many documents it is about. */
  n: number
  writeErrors?: WriteError[]
  writeConcernError?: { code: number }
  /** Set by the driver: an earlier try of the same command may have landed. */
  isUncertain?: boolean
}

interface Refusals {
  readonly refused: readonly Write[]
  /** Some of them may have landed at an earlier try. */
  readonly isUncertain: boolean
}

const none: Refusals = { refused: [], isUncertain: false }

function kindOf({ expect, tag }: Write): 'saved' | 'other' {
  return expect && expect !== tag ? 'saved' : 'other'
}

/** Options of a command that the client gives up in so many milliseconds, wherever it waits. */
function givenUpIn(ms: number, reason: unknown): object {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), ms).unref()
  return { ...decoding, signal: controller.signal }
}

const gaveNoAnswer = (): SessionStoreError =>
  new SessionStoreError('TIMEOUT', 'MongoDB gave no answer in time; whether the call took effect is unknown')
