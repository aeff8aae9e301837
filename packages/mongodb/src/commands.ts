import { isSchemaOlder, type Schema, SessionStoreError, timers, toSchemaVersion } from '@session-stores/core'
import { Link, type Source } from './client.ts'
import { didNothing, isMissingIndex, isTransient, toStoreError, toTimeout } from './errors.ts'
import { type Document, indexes, SCHEMA_ID, type Step, toSchemaVersion as toFound } from './row.ts'
import { DUPLICATE_KEY, LATE, REFUSED } from './statements.ts'

const { pause, setTimeout, uptime } = timers

/** The time limit until `setup` gives another one. Milliseconds. */
export const DEFAULT_TIME_LIMIT = 5000
/** Core waits this many time limits for an answer about all sessions. */
const WHOLE_STORE = 12

/** The errors by which statements say what they decided. Any other error is a failure. */
const decisions: readonly number[] = [DUPLICATE_KEY, REFUSED, LATE]

/**
 * Returns numbers as numbers and ids of cursors as they are. Text is not checked again, because it
 * was checked when it was stored.
 */
const decoding = {
  promoteValues: true,
  promoteLongs: false,
  promoteBuffers: true,
  enableUtf8Validation: false,
}

/** The reply to a `find`. */
export interface Found {
  cursor: { id: unknown; firstBatch: Document[] }
}

/** The failure of one statement, by its index in the command. */
export interface WriteError {
  index: number
  code: number
}

interface Reply {
  /** The number of documents that the command was about. */
  n: number
  writeErrors?: WriteError[]
  writeConcernError?: { code: number }
  /** Set by `Commands` where an earlier attempt to send the command may have landed. */
  isUncertain?: boolean
}

/**
 * Sends commands within the time limit, and sends them again where another server may take them.
 */
export class Commands {
  readonly #source: Source
  readonly #collection: string
  readonly #schema: Schema<Step>
  #link: Link
  #isClosed = false
  /**
   * The server's clock minus `uptime`, in milliseconds, or less. Unknown where another server may
   * have become the primary.
   */
  #clockOffset: number | undefined
  /** When a server answered last, by `uptime`. */
  #answeredAt = Number.NEGATIVE_INFINITY
  /** The options that all commands share until the time `until`, by `uptime`. */
  #shared: { until: number; options: object } = { until: Number.NEGATIVE_INFINITY, options: decoding }

  constructor(source: Source, collection: string, schema: Schema<Step>) {
    this.#source = source
    this.#schema = schema
    this.#collection = collection
    this.#link = new Link(source, DEFAULT_TIME_LIMIT)
  }

  /** The name of the collection, with that of its database where it is known. */
  get place(): string {
    const { databaseName } = this.#link.db
    return databaseName === undefined ? this.#collection : `${databaseName}.${this.#collection}`
  }

  /** Takes how long core waits for a call, in milliseconds. */
  async setTimeLimit(timeLimit: number): Promise<void> {
    if (timeLimit === this.#link.limits.timeLimit || this.#isClosed) return
    const before = this.#link
    this.#link = new Link(this.#source, timeLimit)
    this.#shared.until = Number.NEGATIVE_INFINITY
    await before.close()
  }

  /**
   * Returns the reply, with `isUncertain` where an attempt before the last one may have done the
   * work. A command on a missing index makes the indexes and is sent again.
   *
   * @throws the `SessionStoreError` that explains the failure, or the client's own error.
   */
  async run<T extends object>(command: Record<string, unknown>, through?: Link): Promise<T & Reply> {
    const begun = uptime()
    let options: object | undefined
    let isUncertain = false
    let isMended = false
    for (let tries = 1; ; tries++) {
      if (this.#isClosed) throw new SessionStoreError('CLOSED', 'the MongoDB driver is closed')
      const link = through ?? this.#link
      try {
        // A client whose first command met no server refuses all others until it is told to
        // connect.
        if (!link.isConnected) await link.client.connect()
        link.isConnected = true
        const sentWith = options ?? (through ? decoding : this.#commandOptions())
        const reply = (await link.db.command(command, sentWith)) as T & Reply
        this.#answeredAt = uptime()
        const failure = reply.writeErrors?.find(({ code }) => !decisions.includes(code))
        if (failure ?? reply.writeConcernError) throw failure ?? reply.writeConcernError
        if (isUncertain) reply.isUncertain = true
        return reply
      } catch (error) {
        this.#answeredAt = Number.NEGATIVE_INFINITY
        const { waiting, answer } = link.limits
        const passed = uptime() - begun
        if (isMissingIndex(error) && passed <= waiting) {
          await this.makeIndexes()
          // For a moment MongoDB answers that another call has made an index, and does not find it.
          if (isMended) await pause(Math.min(waiting / 8, 5 * 2 ** tries))
          isMended = true
          continue
        }
        if (!isTransient(error) || passed > waiting) throw toStoreError(error)
        options ??= withAbort(answer - passed, toStoreError(error))
        isUncertain ||= !didNothing(error)
        this.#clockOffset = undefined
        // A server that takes connections and breaks them must not get hundreds a second.
        if (tries > 1) await pause(Math.min(waiting / 8, 50 * 2 ** tries))
      }
    }
  }

  /** Runs a command about all sessions, whose answer may take longer than others. */
  async runPatiently<T extends object>(command: Record<string, unknown>): Promise<T & Reply> {
    const link = new Link(this.#source, this.#link.limits.timeLimit, WHOLE_STORE)
    try {
      return await this.run<T>(command, link)
    } finally {
      await link.close()
    }
  }

  /**
   * Sends statements side by side. The `writeErrors` of the reply say by index which of them
   * failed. They do nothing after the time limit: `latest` limits when the server begins with them,
   * and `maxTimeMS` how long it then waits for a lock, because its time `$$NOW` stands still meanwhile.
   *
   * @param latest the time that is a part of the statements; it is set here.
   * @param begun when the call began, by `uptime`.
   */
  async send(
    kind: 'update' | 'delete',
    statements: readonly object[],
    latest: Date,
    begun: number,
  ): Promise<Reply> {
    const { writeConcern, limits } = this.#link
    const command = { [kind]: this.#collection, [`${kind}s`]: statements, ordered: false, writeConcern }
    let isUncertain = false
    for (;;) {
      if (this.#clockOffset === undefined) await this.readClock()
      const now = uptime()
      const maxTimeMS = Math.floor(begun + limits.timeLimit - limits.reaching - now)
      if (maxTimeMS <= 0) throw toTimeout()
      latest.setTime(this.#clockOffset! + now + limits.reaching)
      const reply = await this.run({ ...command, maxTimeMS })
      isUncertain ||= reply.isUncertain === true
      if (!reply.writeErrors?.some(({ code }) => code === LATE)) {
        if (isUncertain) reply.isUncertain = true
        return reply
      }
      // All statements were late, or the server's clock was set.
      this.#clockOffset = undefined
    }
  }

  /** Returns up to `limit` keys of the documents that the query finds. */
  async findKeys(query: object, limit: number): Promise<string[]> {
    const { cursor } = await this.run<Found>({
      find: this.#collection,
      ...query,
      projection: { _id: 1 },
      limit,
      batchSize: limit,
      singleBatch: true,
    })
    return cursor.firstBatch.map(({ _id }) => _id)
  }

  /** Returns the time of the server's clock, in epoch milliseconds. */
  async readClock(): Promise<number> {
    const { localTime } = await this.run<{ localTime: Date }>({ hello: 1 })
    const time = localTime.getTime()
    // The server read its clock a moment ago, so this is at most the true offset, and a call that is
    // late does nothing.
    this.#clockOffset = time - uptime()
    return time
  }

  async makeIndexes(): Promise<void> {
    const all = [...indexes, ...this.#schema.steps.flat()]
    await this.run({ createIndexes: this.#collection, indexes: all })
  }

  /**
   * Makes the indexes, and notes the schema where the collection has an older one.
   *
   * @throws SCHEMA_TOO_NEW, and makes no index then: a newer version may have dropped it.
   */
  async prepareCollection(): Promise<void> {
    const filter = { _id: SCHEMA_ID }
    const { cursor } = await this.run<Found>({ find: this.#collection, filter })
    const isOlder = isSchemaOlder(
      toFound(cursor.firstBatch[0] as object | undefined),
      this.#schema,
      'the collection',
    )
    await this.makeIndexes()
    if (!isOlder) return
    // Processes of several versions may begin at once, and the newest schema stays.
    const { version, minimum } = toSchemaVersion(this.#schema)
    const noted = { version: { $max: ['$version', version] }, minimum: { $max: ['$minimum', minimum] } }
    const updates = [{ q: filter, u: [{ $set: noted }], upsert: true }]
    await this.run({ update: this.#collection, updates, writeConcern: this.#link.writeConcern })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#link.close()
  }

  /**
   * Returns the options of a command that is sent now. Only where the last answer is not fresh the
   * command has a signal that gives it up in time, because a signal costs half a lookup.
   */
  #commandOptions(): object {
    const now = uptime()
    const { answer, slice } = this.#link.limits
    if (now - this.#answeredAt < slice) return decoding
    if (now > this.#shared.until)
      this.#shared = { until: now + slice, options: withAbort(answer, toTimeout()) }
    return this.#shared.options
  }
}

/** Returns options with which the client gives a command up after a time, wherever it waits. */
function withAbort(milliseconds: number, reason: unknown): object {
  const controller = new AbortController()
  setTimeout(() => controller.abort(reason), milliseconds).unref()
  return { ...decoding, signal: controller.signal }
}
