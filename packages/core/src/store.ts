import { type Session, type SessionData, Store } from 'express-session'
import { Calls, type StoreCallback } from './dispatch/call.ts'
import { Dispatcher } from './dispatch/dispatcher.ts'
import { Upkeep } from './dispatch/upkeep.ts'
import { WholeStoreCalls } from './dispatch/whole-store-calls.ts'
import type { Driver } from './driver.ts'
import { Codec } from './encoding/codec.ts'
import { FORMATS, type Format } from './encoding/formats.ts'
import { type Keys, keysOf } from './encoding/key.ts'
import { createSealer } from './encoding/seal.ts'
import type { LegacyReader, LegacyRow, MoveOptions, MoveOutcome } from './legacy.ts'
import type { Derive, Known } from './near/known.ts'
import { Near } from './near/near.ts'
import { NearDriver } from './near/near-driver.ts'
import { type StoreOptions, type StoreSettings, toSettings, toStoreSettings } from './options.ts'
import { Directory, type ListOptions, type RevokeOptions, type User } from './session/directory.ts'
import type { ListedSession } from './session/lookups.ts'
import { copyMarker } from './session/marker.ts'
import { Order } from './session/order.ts'
import { Sessions } from './session/sessions.ts'
import { refuseSamePlace } from './session/source.ts'
import type { Change, Target } from './session/updates.ts'
import { refuseWithoutHandles, refuseWithoutUsers } from './session/user.ts'
import { SessionCalls } from './session-calls.ts'

type Request = Parameters<Store['regenerate']>[0]

/**
 * The store that express-session calls. Everything that a session means is decided here, in core,
 * once for all databases.
 *
 * Every method of express-session takes a callback, or returns a promise where there is none.
 * Callbacks are called exactly once, later than the method, in the async context of the caller.
 * Every failure is a `SessionStoreError`. No method throws. Every call ends within
 * `operationTimeout`, one about the whole store within that for each step.
 *
 * @example
 * const store = new SessionStore(memoryDriver(), { idleTimeout: 30 * 60_000 })
 * app.use(session({ store, secret, resave: false, saveUninitialized: false }))
 */
export class SessionStore extends Store {
  /** The options that other parts of the session layer follow, with the defaults filled in. */
  readonly settings: StoreSettings
  readonly #settings: ReturnType<typeof toSettings>
  readonly #dispatcher: Dispatcher
  readonly #calls: Calls
  readonly #session: SessionCalls
  readonly #order: Order
  readonly #keys: Keys
  readonly #near: Near
  readonly #sessions: Sessions
  readonly #directory: Directory
  readonly #upkeep: Upkeep
  readonly #whole: WholeStoreCalls
  #closing: Promise<void> | undefined

  /** Opens nothing. Throws a TypeError for a wrong option. `formats`: for tests before a release. */
  constructor(driver: Driver, options: StoreOptions = {}, formats: readonly Format[] = FORMATS) {
    super()
    // Each `session()` middleware adds two listeners, so a dozen of them are not a leak.
    this.setMaxListeners(0)
    this.#settings = toSettings(options, driver, formats)
    const { seal, hashIds, operationTimeout, maxQueue, now } = this.#settings
    this.settings = toStoreSettings(this.#settings)
    const sealer = seal ? createSealer(seal, driver.place) : undefined
    const codec = new Codec(this.#settings, sealer, formats)
    this.#keys = keysOf(hashIds)
    this.#near = new Near(this.#settings, this.#keys, driver.name)
    this.#dispatcher = new Dispatcher(new NearDriver(driver, this.#near), operationTimeout, now)
    this.#calls = new Calls(operationTimeout, maxQueue)
    this.#session = new SessionCalls(this.#calls)
    this.#order = new Order(this.#calls, Math.ceil(maxQueue / 2))
    const parts = [this.#dispatcher, codec, this.#keys, this.#settings, this.#order, this.#near] as const
    this.#sessions = new Sessions(...parts)
    this.#directory = new Directory(this.#dispatcher, this.#keys, this.#sessions, this.#settings)
    this.#whole = new WholeStoreCalls((steps, alone) => this.#order.whole(steps, alone))
    this.#upkeep = new Upkeep(this.#dispatcher, this.#settings)
    this.#upkeep.schedule(() => this.prune())
  }

  /**
   * Returns the session, or `null`. Its `cookie.expires`, where it has one, is when the store ends
   * it.
   */
  override get(id: string): Promise<SessionData | null>
  override get(id: string, callback: StoreCallback<SessionData | null>): void
  override get(id: string, callback?: StoreCallback<SessionData | null>): Promise<SessionData | null> | void {
    return this.#session.make(callback, (call) => this.#sessions.lookups.get(call, id))
  }

  /**
   * Saves the session. A session that was read (by `get`, or by express-session for a request) is
   * updated: the save merges with what other requests saved since, and never brings back a session
   * that has ended. A new session of express-session is created. Any other object is written as it
   * is, unless the session was destroyed less than `tombstoneTimeout` ago.
   */
  override set(id: string, session: SessionData): Promise<void>
  override set(id: string, session: SessionData, callback: StoreCallback | undefined): void
  override set(id: string, session: SessionData, callback?: StoreCallback): Promise<void> | void {
    return this.#session.make(callback, (call) => this.#sessions.set(call, id, session))
  }

  /**
   * Reads the session, passes it to `change`, and saves the result. Begins again if another request
   * has saved meanwhile, so `change` may run several times. Returns the session as saved, or as read
   * where `change` returns `undefined`, or `null` where there is none. Errors of `change` are `cause`s.
   *
   * @param target the id of the session, or `{ handle }`, which needs `hashIds: true`.
   * @throws INVALID_ID, or a TypeError for a handle with `hashIds: false`.
   */
  update(target: Target, change: Change): Promise<SessionData | null> {
    const refusal = typeof target === 'string' ? undefined : refuseWithoutHandles(this.#settings, 'update')
    return refusal ?? this.#session.promise((call) => this.#sessions.update(call, target, change))
  }

  /**
   * Returns the live session of a handle, or `null`. Throws `INVALID_ID`, `INVALID_QUERY`, or a
   * TypeError for `hashIds: false`. `freshness: 0` (milliseconds) asks the database in any case.
   */
  peek(handle: string, { freshness }: { freshness?: number } = {}): Promise<ListedSession | null> {
    const refusal = refuseWithoutHandles(this.#settings, 'peek')
    return refusal ?? this.#session.promise((call) => this.#sessions.lookups.peek(call, handle, freshness))
  }

  /**
   * Finds out about the session of a handle, from knowledge of at most `freshness` milliseconds, and
   * remembers what `derive` makes of it. For packages on top of a store. Throws as `peek` does.
   */
  consult<T>(handle: string, freshness: number, derive: Derive<T>): Promise<Known> {
    const refusal = refuseWithoutHandles(this.#settings, 'consult')
    const { lookups } = this.#sessions
    return refusal ?? this.#session.promise((call) => lookups.consult(call, handle, freshness, derive))
  }

  /** Returns what this process knows of the session of a handle, however old. See `consult`. */
  recall(handle: string): Known | undefined {
    return this.#near.recall(handle)
  }

  /** Moves the session's deadline, and saves the cookie where its settings changed. */
  override touch(id: string, session: SessionData): Promise<void>
  override touch(id: string, session: SessionData, callback: StoreCallback | undefined): void
  override touch(id: string, session: SessionData, callback?: StoreCallback): Promise<void> | void {
    return this.#session.make(callback, (call) => this.#sessions.touch(call, id, session))
  }

  /** Ends the session: no later save brings it back. Succeeds where there is no session. */
  override destroy(id: string): Promise<void>
  override destroy(id: string, callback: StoreCallback | undefined): void
  override destroy(id: string, callback?: StoreCallback): Promise<void> | void {
    return this.#session.make(callback, (call) => this.#sessions.destroy(call, id))
  }

  /**
   * Ends the session of the request and gives the request a new one, for `req.session.regenerate`.
   * Calls back with `GONE` where the session was ended (by a logout or `revokeUser`) while this
   * request used it, because a sign-in must not go on with what it read before.
   */
  override regenerate(request: Request, callback: (error?: unknown) => void): void {
    const { sessionID, session } = request
    this.#session.make<void>(
      (error) => {
        // The middleware of express-session sets `generate`, and expects its call after an error,
        // too.
        ;(this as unknown as { generate(request: Request): void }).generate(request)
        callback(error)
      },
      (call) => this.#sessions.regenerate(call, sessionID, session),
    )
  }

  /** express-session copies what was read into an object of its own. The marker goes along. */
  override createSession(
    req: Parameters<Store['createSession']>[0],
    data: SessionData,
  ): Session & SessionData {
    const created = super.createSession(req, data)
    copyMarker(data, created)
    return created
  }

  /**
   * Returns every live session by its handle (by its id, with `hashIds: false`). Unreadable
   * sessions are left out and published on `session-stores:unreadable`.
   */
  override all(): Promise<Record<string, SessionData>>
  override all(callback: StoreCallback<Record<string, SessionData>>): void
  override all(
    callback?: StoreCallback<Record<string, SessionData>>,
  ): Promise<Record<string, SessionData>> | void {
    return this.#whole.call(callback, () => this.#directory.all())
  }

  /** Returns how many sessions are live. */
  override length(): Promise<number>
  override length(callback: StoreCallback<number>): void
  override length(callback?: StoreCallback<number>): Promise<number> | void {
    return this.#whole.call(callback, () => this.#directory.count())
  }

  /** Removes every session. Later calls wait for it. After a `TIMEOUT`, some sessions may be left. */
  override clear(): Promise<void>
  override clear(callback: StoreCallback | undefined): void
  override clear(callback?: StoreCallback): Promise<void> | void {
    return this.#whole.call(callback, () => this.#directory.clear(), true)
  }

  /** Returns the handles (with `hashIds: false`, the ids) of the live sessions. */
  ids(): Promise<string[]>
  ids(callback: StoreCallback<string[]>): void
  ids(callback?: StoreCallback<string[]>): Promise<string[]> | void {
    return this.#whole.call(callback, () => this.#directory.names())
  }

  /**
   * Returns the handle of a session id, as `list` returns it, for example to show which of a user's
   * sessions is the current one. Throws `INVALID_ID`.
   */
  handle(id: string): string {
    return this.#keys.handle(this.#keys.key(id))
  }

  /**
   * Returns about `limit` live sessions, of one user or of all, with `next` where there may be
   * more: pass it as `after` to go on. Unreadable sessions are left out and published.
   *
   * @throws INVALID_QUERY, INVALID_USER, or a TypeError for `user` without the option `user`.
   */
  list(query: ListOptions = {}): Promise<{ sessions: ListedSession[]; next?: string }> {
    const refusal = 'user' in query ? refuseWithoutUsers(this.#settings) : undefined
    return refusal ?? this.#whole.call(undefined, () => this.#directory.list(query))
  }

  /**
   * Ends the session of a handle, from its next request on, and returns whether this call ended it:
   * of several logouts at once, one returns `true`. With `user`, only a session of that user ends:
   * pass it wherever the handle comes from a browser.
   *
   * @throws INVALID_ID, INVALID_USER, or a TypeError for `user` without the option `user`.
   */
  revoke(handle: string, options: { user?: User } = {}): Promise<boolean> {
    const refusal = 'user' in options ? refuseWithoutUsers(this.#settings) : undefined
    return refusal ?? this.#whole.call(undefined, () => this.#directory.revoke(handle, options))
  }

  /**
   * Ends the sessions of the user, from their next requests on, except the session with the id
   * `except` and the `keepNewest` newest ones. Returns how many sessions this call ended.
   *
   * @throws INVALID_USER, INVALID_ID, INVALID_QUERY, or a TypeError without the option `user`.
   */
  revokeUser(user: User, options: RevokeOptions = {}): Promise<number> {
    const refusal = refuseWithoutUsers(this.#settings)
    return refusal ?? this.#whole.call(undefined, () => this.#directory.revokeUser(user, options))
  }

  /**
   * Stores whose each session is, by the option `user`, where the row says otherwise: for sessions
   * from before the option was set or changed. Returns how many changed. Unreadable sessions are
   * published as in `list`.
   *
   * @throws TypeError without the option `user` of the store.
   */
  assignUsers(): Promise<number> {
    const refusal = refuseWithoutUsers(this.#settings)
    return refusal ?? this.#whole.call(undefined, () => this.#directory.assignUsers())
  }

  /**
   * Moves in a session that a scan of another store returned: for `migrate` of `@session-stores/legacy`.
   *
   * @throws TypeError where the other store's rows are in the same place as this store's.
   */
  moveIn(from: LegacyReader, row: LegacyRow, options: MoveOptions = {}): Promise<MoveOutcome> {
    const refusal = refuseSamePlace(from, this.#dispatcher.driver)
    return refusal ?? this.#session.promise((call) => this.#sessions.moveIn(call, from, row, options))
  }

  /** Removes expired rows and returns how many. Runs by itself every `pruneInterval`. */
  prune(): Promise<number> {
    return this.#whole.call(undefined, () => this.#upkeep.prune())
  }

  /** Succeeds if the database answers: for health checks, and to fail early at start-up. */
  ping(): Promise<void> {
    return this.#whole.call(undefined, () => this.#upkeep.compareClocks())
  }

  /** Waits for the open calls, then closes what the store opened itself. May be called again. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#upkeep.stop()
      this.#whole.close()
      await this.#calls.close()
      this.#near.close()
      await this.#dispatcher.close()
    })()
    return this.#closing
  }
}
