import { type Session, type SessionData, Store } from 'express-session'
import { type Call, Calls, type StoreCallback } from './dispatch/call.ts'
import { Backend } from './dispatch/dispatcher.ts'
import { clearTimeout, nextTick, setImmediate, setTimeout } from './dispatch/timers.ts'
import type { Driver } from './driver.ts'
import { Codec } from './encoding/codec.ts'
import { type Keys, keys, userHash } from './encoding/key.ts'
import { sealer } from './encoding/seal.ts'
import { asStoreError, SessionStoreError } from './errors.ts'
import { events, type PruneEvent } from './events.ts'
import { type Settings, type StoreOptions, settings } from './options.ts'
import { Directory, PAGE } from './session/directory.ts'
import { copyMarker } from './session/marker.ts'
import { Order } from './session/order.ts'
import { Sessions } from './session/sessions.ts'

type User = string | number
type Request = Parameters<Store['regenerate']>[0]

/** A live session, as `list` shows it. */
export interface ListedSession {
  /** Names the session to `revoke`; nobody can sign in with it. */
  handle: string
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  expiresAt: number
  session: SessionData
}

/** `clear` and `length` are about the whole store, and may take this many times `operationTimeout`. */
const WHOLE_STORE = 12

/** One session may use half of `maxQueue`: the calls of others must not be refused because of it. */
const SHARE = 2

/** How far the clocks of the application and the database may be apart, in milliseconds, before it is said. */
const CLOCK_TOLERANCE = 60_000

/**
 * The store that express-session calls. What sessions mean is decided here, in core, once for every database.
 *
 * Every method of express-session takes a callback, or returns a promise without one. Callbacks come exactly
 * once, later than the call, in the caller's async context. Every failure is a `SessionStoreError`; no method
 * throws; every call ends within `operationTimeout` (one about the whole store: within that for each step).
 */
export class SessionStore extends Store {
  readonly #settings: Settings
  readonly #backend: Backend
  readonly #calls: Calls
  readonly #order: Order
  readonly #keys: Keys
  readonly #sessions: Sessions
  readonly #directory: Directory
  #hasWarned = false
  #pruning: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  /** Throws a `TypeError` for a wrong option. Nothing is opened before the first call. */
  constructor(driver: Driver, options: StoreOptions = {}) {
    super()
    // Each session() call adds two listeners: a dozen of them on one store is no leak.
    this.setMaxListeners(0)
    this.#settings = settings(options)
    const { serializer, seal, maxPayload, hashIds, operationTimeout, maxQueue, now } = this.#settings
    this.#backend = new Backend(driver, operationTimeout, now)
    this.#calls = new Calls(operationTimeout, maxQueue)
    this.#order = new Order(this.#calls, Math.ceil(maxQueue / SHARE))
    this.#keys = keys(hashIds)
    const codec = new Codec(
      serializer,
      seal ? sealer(seal, driver.place) : undefined,
      maxPayload,
      operationTimeout,
    )
    this.#sessions = new Sessions(this.#backend, codec, this.#keys, this.#settings, this.#order)
    this.#directory = new Directory(this.#backend, this.#keys, this.#sessions, now)
    this.#schedulePrune()
  }

  /** The session, or `null`. Its `cookie.expires`, where it has one, is when the store ends it. */
  override get(id: string): Promise<SessionData | null>
  override get(id: string, callback: StoreCallback<SessionData | null>): void
  override get(id: string, callback?: StoreCallback<SessionData | null>): Promise<SessionData | null> | void {
    return this.#call(callback, (call) => this.#sessions.get(call, id))
  }

  /**
   * Saves the session. One that was read (by `get`, or by express-session for a request) is an update of what
   * was read: it merges with what others wrote meanwhile and never brings back a session that is gone. A new
   * session of express-session is created. Any other object is written as it is, unless the session was
   * destroyed less than `tombstoneTimeout` ago.
   */
  override set(id: string, session: SessionData): Promise<void>
  override set(id: string, session: SessionData, callback: StoreCallback | undefined): void
  override set(id: string, session: SessionData, callback?: StoreCallback): Promise<void> | void {
    return this.#call(callback, (call) => this.#sessions.set(call, id, session))
  }

  /** Moves the session's deadline and nothing else, except that a cookie whose settings changed is saved. */
  override touch(id: string, session: SessionData): Promise<void>
  override touch(id: string, session: SessionData, callback: StoreCallback | undefined): void
  override touch(id: string, session: SessionData, callback?: StoreCallback): Promise<void> | void {
    return this.#call(callback, (call) => this.#sessions.touch(call, id, session))
  }

  /** Ends the session: no save that is still on its way brings it back. One that is not there is no error. */
  override destroy(id: string): Promise<void>
  override destroy(id: string, callback: StoreCallback | undefined): void
  override destroy(id: string, callback?: StoreCallback): Promise<void> | void {
    return this.#call(callback, (call) => this.#sessions.destroy(call, id))
  }

  /**
   * Ends the session of the request and gives the request a new one, as `req.session.regenerate` wants it. Calls back
   * with `GONE` where the session was ended (a logout, `revokeUser`) while this request used it: a sign-in must not go
   * on with what it read before.
   */
  override regenerate(request: Request, callback: (error?: unknown) => void): void {
    const { sessionID, session } = request
    this.#call<void>(
      (error) => {
        // As in express-session, where `generate` is the middleware's: also after an error.
        ;(this as unknown as { generate(request: Request): void }).generate(request)
        callback(error)
      },
      (call) => this.#sessions.leave(call, sessionID, session),
    )
  }

  /** express-session copies what was read into its own object: what we know of it goes along. */
  override createSession(
    req: Parameters<Store['createSession']>[0],
    data: SessionData,
  ): Session & SessionData {
    const created = super.createSession(req, data)
    copyMarker(data, created)
    return created
  }

  /** Every live session by its handle (by its id, with `hashIds: false`); one that cannot be read is left out and published. */
  override all(): Promise<Record<string, SessionData>>
  override all(callback: StoreCallback<Record<string, SessionData>>): void
  override all(
    callback?: StoreCallback<Record<string, SessionData>>,
  ): Promise<Record<string, SessionData>> | void {
    return this.#whole(callback, async () => {
      const found: [string, SessionData][] = []
      for await (const row of this.#directory.rows()) {
        const session = await this.#directory.read(row)
        if (session) found.push([this.#keys.name(row.key), session])
      }
      return Object.fromEntries(found)
    })
  }

  /** How many sessions are live. */
  override length(): Promise<number>
  override length(callback: StoreCallback<number>): void
  override length(callback?: StoreCallback<number>): Promise<number> | void {
    const { now, operationTimeout } = this.#settings
    const count = () => this.#backend.driver.count(now())
    return this.#whole(callback, () => this.#backend.run('count', count, operationTimeout * WHOLE_STORE))
  }

  /** Removes every session of this store, at once and without tombstones. Calls made after it wait for it. */
  override clear(): Promise<void>
  override clear(callback: StoreCallback | undefined): void
  override clear(callback?: StoreCallback): Promise<void> | void {
    const clear = () => this.#backend.driver.clear()
    const timeout = this.#settings.operationTimeout * WHOLE_STORE
    return this.#whole(callback, () => this.#backend.run('clear', clear, timeout), true)
  }

  /** The handles (with `hashIds: false`, the ids) of the live sessions. */
  ids(): Promise<string[]>
  ids(callback: StoreCallback<string[]>): void
  ids(callback?: StoreCallback<string[]>): Promise<string[]> | void {
    return this.#whole(callback, async () => {
      const found = new Set<string>()
      for await (const row of this.#directory.rows()) found.add(this.#keys.name(row.key))
      return [...found]
    })
  }

  /** The handle of a session id, as `list` gives it: tells which of a user's sessions is this one. Throws `INVALID_ID`. */
  handle(id: string): string {
    return this.#keys.handle(this.#keys.key(id))
  }

  /**
   * Live sessions, of one user or of all; about `limit` (default 1,000), and `next` to go on with (`after`) if
   * there may be more. Sessions that cannot be read are left out and published.
   */
  list(
    query: { user?: User; limit?: number; after?: string } = {},
  ): Promise<{ sessions: ListedSession[]; next?: string }> {
    const refusal = 'user' in query ? this.#withoutUsers() : undefined
    if (refusal) return refusal
    return this.#whole(undefined, async () => {
      const { limit = 1000 } = query
      const user = userIn(query)
      if (!Number.isSafeInteger(limit) || limit < 1)
        throw new SessionStoreError('INVALID_QUERY', 'limit must be a whole number, at least 1')
      // It comes from browsers: to a database an object could be more than a value.
      if (query.after !== undefined && typeof query.after !== 'string')
        throw new SessionStoreError('INVALID_QUERY', 'after must be the next of another page')
      const found = new Map<string, ListedSession>()
      let after = query.after
      do {
        const page = await this.#directory.page({ user, after, limit: Math.min(limit - found.size, PAGE) })
        for (const row of page.rows) {
          const session = await this.#directory.read(row)
          if (!session) continue
          const handle = this.#keys.handle(row.key)
          const expiresAt = this.#sessions.deadline(row)
          found.set(handle, { handle, createdAt: row.createdAt, expiresAt, session })
        }
        after = page.next
      } while (after !== undefined && found.size < limit)
      const sessions = [...found.values()]
      return after === undefined ? { sessions } : { sessions, next: after }
    })
  }

  /**
   * Ends the session of a handle, from its next request on. With `user`, only if it is that user's: pass it
   * wherever the handle comes from a browser. Says whether a session ended. With `hashIds: false` it has to
   * search the user's sessions, or all.
   */
  revoke(handle: string, options: { user?: User } = {}): Promise<boolean> {
    const refusal = 'user' in options ? this.#withoutUsers() : undefined
    if (refusal) return refusal
    return this.#whole(undefined, async () => {
      const row = await this.#directory.find(handle, userIn(options))
      if (row === undefined) return false
      await this.#sessions.end(row.key)
      return true
    })
  }

  /** Ends every session of the user, from their next request on, except the one with the id `except`. Says how many. */
  revokeUser(user: User, options: { except?: string } = {}): Promise<number> {
    const refusal = this.#withoutUsers()
    if (refusal) return refusal
    return this.#whole(undefined, async () => {
      const except = 'except' in options ? this.#keys.key(options.except as string) : undefined
      const found = new Set<string>()
      for await (const { key } of this.#directory.rows(userHash(user))) if (key !== except) found.add(key)
      // So many at a time that each of them is answered within `operationTimeout`.
      const all = [...found]
      for (let i = 0; i < all.length; i += PAGE)
        await Promise.all(all.slice(i, i + PAGE).map((key) => this.#sessions.end(key)))
      return all.length
    })
  }

  /**
   * Finds out whose each session is, by the option `user`, and stores that where it is not as stored: for sessions that
   * were saved before the option was set or changed. Says how many sessions it changed; those that cannot be read are left out
   * and published. Rejects with a `TypeError` without the option.
   */
  assignUsers(): Promise<number> {
    const refusal = this.#withoutUsers()
    if (refusal) return refusal
    return this.#whole(undefined, async () => {
      let changed = 0
      for await (const row of this.#directory.rows()) if (await this.#directory.assignUser(row)) changed++
      return changed
    })
  }

  /** Removes expired rows, in bounded steps; says how many. Runs in the background by itself every `pruneInterval`. */
  prune(): Promise<number> {
    return this.#whole(undefined, async () => {
      await this.#compareClocks()
      let removed = 0
      for (;;) {
        const step = await this.#backend.run('prune', () =>
          this.#backend.driver.prune(this.#settings.now(), PAGE),
        )
        removed += step
        if (step < PAGE || this.#closing) return removed
        await new Promise(setImmediate)
      }
    })
  }

  /** Fulfils if the database answers: for health checks, and to fail early at start-up. */
  ping(): Promise<void> {
    return this.#whole(undefined, () => this.#compareClocks())
  }

  /** Asks the database for the time, and says so where the clock of this process is far from it. */
  async #compareClocks(): Promise<void> {
    const { driver } = this.#backend
    const before = Date.now()
    const time = await this.#backend.run('ping', () => driver.ping())
    const after = Date.now()
    const ahead = before > time ? before - time : after < time ? after - time : 0
    if (Math.abs(ahead) <= CLOCK_TOLERANCE || this.#hasWarned) return
    this.#hasWarned = true
    const seconds = Math.round(Math.abs(ahead) / 1000)
    process.emitWarning(
      `the clock of this process is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} that of the ${driver.name} ` +
        'database: sessions end too early or too late; let both follow a time server',
      { type: 'SessionStoresWarning', code: 'SESSION_STORES_CLOCK' },
    )
  }

  /** Waits for the open calls, then closes what the store opened itself; a client that it was lent stays open. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      clearTimeout(this.#pruning)
      await this.#calls.close()
      await this.#backend.close()
    })()
    return this.#closing
  }

  /** One call about one session. */
  #call<T>(callback: StoreCallback<T> | undefined, start: (call: Call<T>) => void): Promise<T> | void {
    if (typeof callback === 'function') return this.#start(callback, start)
    const promise = new Promise<T>((resolve, reject) => {
      this.#start((error, value) => (error == null ? resolve(value as T) : reject(error)), start)
    })
    // Nobody has to wait for it: express-session destroys without a callback.
    promise.catch(() => {})
    return promise
  }

  #start<T>(callback: StoreCallback<T>, start: (call: Call<T>) => void): void {
    const call = this.#calls.open(callback)
    if (call.done) return
    try {
      start(call)
    } catch (error) {
      call.finish(error)
    }
  }

  /** One call about the whole store, in steps, after the calls made before it; `alone`: and before those made later. */
  #whole<T>(callback: undefined, steps: () => Promise<T>, alone?: boolean): Promise<T>
  #whole<T>(
    callback: StoreCallback<T> | undefined,
    steps: () => Promise<T>,
    alone?: boolean,
  ): Promise<T> | void
  #whole<T>(
    callback: StoreCallback<T> | undefined,
    steps: () => Promise<T>,
    alone = false,
  ): Promise<T> | void {
    const promise = this.#closing
      ? Promise.reject(new SessionStoreError('CLOSED', 'the session store is closed'))
      : this.#order.whole(steps, alone).catch((error) => Promise.reject(asStoreError(error)))
    promise.catch(() => {})
    if (typeof callback !== 'function') return promise
    promise.then(
      (value) => nextTick(callback, null, value),
      (error) => nextTick(callback, error),
    )
  }

  /** Rejects where no session says whose it is: that none of a user's sessions was found would be a wrong answer. */
  #withoutUsers(): Promise<never> | undefined {
    if (this.#settings.user !== undefined) return undefined
    const refusal = Promise.reject(
      new TypeError(
        "sessions have no users: give the store the option 'user', such as user: (session) => session.userId",
      ),
    )
    refusal.catch(() => {})
    return refusal
  }

  #schedulePrune(): void {
    const { pruneInterval } = this.#settings
    if (pruneInterval === 0) return
    const jittered = pruneInterval * (0.75 + Math.random() / 2)
    this.#pruning = setTimeout(async () => {
      const event: PruneEvent = { driver: this.#backend.driver.name, removed: 0, error: null }
      try {
        event.removed = await this.prune()
      } catch (error) {
        event.error = error
      }
      events.prune.publish(event)
      if (!this.#closing) this.#schedulePrune()
    }, jittered).unref()
  }
}

/** A `user` that is given and `undefined` is refused: an anonymous visitor's user must not come to mean everybody. */
const userIn = (query: { user?: User }): string | undefined =>
  'user' in query ? userHash(query.user) : undefined
