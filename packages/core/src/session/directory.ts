import type { SessionData } from 'express-session'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import type { ListQuery, Row } from '../driver.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import { type EndedEvent, events } from '../events.ts'
import type { Settings } from '../options.ts'
import type { ListedSession } from './lookups.ts'
import { publish } from './save.ts'
import type { Sessions } from './sessions.ts'
import { userHash } from './user.ts'

/** Calls about the whole store may take this many times `operationTimeout`. */
const WHOLE_STORE = 12

/** How many rows are requested at a time. */
const PAGE = 256

/** The id of a user, as the option `user` returns it. */
export type User = string | number

/** What `list` takes. */
export interface ListOptions {
  /** Only the sessions of this user. */
  user?: User
  /**
   * About how many sessions, at least 1.
   *
   * @default 1000
   */
  limit?: number
  /** The `next` of the previous page. */
  after?: string
}

/** Which sessions of a user `revokeUser` leaves alone. */
export interface RevokeOptions {
  /** The id of a session that stays in any case, such as that of the current request. */
  except?: string
  /**
   * How many of the newest sessions, by their creation, stay: a limit of sessions per user (OWASP
   * ASVS 5.0, 7.1.2).
   *
   * @default 0
   */
  keepNewest?: number
}

/** Finds, lists and ends sessions of all users or of one. */
export class Directory {
  readonly #dispatcher: Dispatcher
  readonly #keys: Keys
  readonly #sessions: Sessions
  readonly #settings: Settings

  constructor(dispatcher: Dispatcher, keys: Keys, sessions: Sessions, settings: Settings) {
    this.#dispatcher = dispatcher
    this.#keys = keys
    this.#sessions = sessions
    this.#settings = settings
  }

  async all(): Promise<Record<string, SessionData>> {
    const found: [string, SessionData][] = []
    for await (const row of this.#rows()) {
      const session = await this.#read(row)
      if (session) found.push([this.#keys.name(row.key), session])
    }
    return Object.fromEntries(found)
  }

  async names(): Promise<string[]> {
    const found = new Set<string>()
    for await (const row of this.#rows()) found.add(this.#keys.name(row.key))
    return [...found]
  }

  count(): Promise<number> {
    const { now, operationTimeout } = this.#settings
    const { driver } = this.#dispatcher
    return this.#dispatcher.run('count', () => driver.count(now()), operationTimeout * WHOLE_STORE)
  }

  async clear(): Promise<void> {
    const { driver } = this.#dispatcher
    const timeout = this.#settings.operationTimeout * WHOLE_STORE
    // First the rows of the other store, so that none of them moves in after this store is empty.
    if (this.#sessions.moves.isOn) await this.#sessions.moves.clear()
    const controller = new AbortController()
    // Once the call has failed, the driver must not remove sessions that begin later.
    try {
      await this.#dispatcher.run('clear', () => driver.clear(controller.signal), timeout)
    } finally {
      controller.abort()
    }
    if (events.ended.hasSubscribers) events.ended.publish({ driver: driver.name } satisfies EndedEvent)
  }

  /** @throws INVALID_QUERY or INVALID_USER */
  async list(query: ListOptions): Promise<{ sessions: ListedSession[]; next?: string }> {
    const { limit = 1000 } = query
    const user = userIn(query)
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new SessionStoreError('INVALID_QUERY', 'limit must be a whole number, at least 1')
    // It comes from browsers, and a database could take an object for more than a value.
    if (query.after !== undefined && typeof query.after !== 'string')
      throw new SessionStoreError('INVALID_QUERY', "after must be the value 'next' of another page")
    const found = new Map<string, ListedSession>()
    let after = query.after
    do {
      const page = await this.#page({ user, after, limit: Math.min(limit - found.size, PAGE) })
      for (const row of page.rows) {
        const session = await this.#read(row)
        if (!session) continue
        const listed = this.#sessions.toListed(row, session)
        found.set(listed.handle, listed)
      }
      after = page.next
    } while (after !== undefined && found.size < limit)
    const sessions = [...found.values()]
    return after === undefined ? { sessions } : { sessions, next: after }
  }

  /**
   * Resolves with whether a session ended.
   *
   * @throws INVALID_ID or INVALID_USER
   */
  async revoke(handle: string, options: { user?: User }): Promise<boolean> {
    const user = userIn(options)
    const row = await this.#find(handle, user)
    if (row === undefined) return false
    return this.#sessions.endRow(row, (found) => user === undefined || found.user === user)
  }

  /**
   * Resolves with how many sessions ended.
   *
   * @throws INVALID_ID, INVALID_QUERY or INVALID_USER
   */
  async revokeUser(user: User, options: RevokeOptions): Promise<number> {
    const except = 'except' in options ? this.#keys.key(options.except as string) : undefined
    const { keepNewest = 0 } = options
    if (!Number.isSafeInteger(keepNewest) || keepNewest < 0)
      throw new SessionStoreError('INVALID_QUERY', 'keepNewest must be a whole number, at least 0')
    const hash = userHash(user)
    const found = new Map<string, Pick<Row, 'key' | 'tag' | 'createdAt'>>()
    for await (const { key, tag, createdAt } of this.#rows(hash)) found.set(key, { key, tag, createdAt })
    const newestFirst = [...found.values()].sort((one, other) => other.createdAt - one.createdAt)
    const rows = newestFirst.slice(keepNewest).filter(({ key }) => key !== except)
    const isWanted = (row: Row): boolean => row.user === hash
    let ended = 0
    // Pages are small enough that each of their sessions is answered within `operationTimeout`.
    for (let i = 0; i < rows.length; i += PAGE) {
      const page = rows.slice(i, i + PAGE)
      // A call that has failed must not go on to end sessions, so each of them is waited for.
      const answers = await Promise.allSettled(page.map((row) => this.#sessions.endRow(row, isWanted)))
      for (const answer of answers) {
        if (answer.status === 'rejected') throw answer.reason
        if (answer.value) ended++
      }
    }
    return ended
  }

  /** Resolves with how many sessions it changed. */
  async assignUsers(): Promise<number> {
    let changed = 0
    for await (const row of this.#rows()) if (await this.#assignUser(row)) changed++
    return changed
  }

  async #page(query: ListQuery): Promise<{ rows: Row[]; next: string | undefined }> {
    const { driver } = this.#dispatcher
    const { keys, next } = await this.#dispatcher.run('list', () => driver.list(query))
    const distinct = [...new Set(keys)].sort()
    if (distinct.length === 0) return { rows: [], next }
    const rows = await this.#dispatcher.run('read', () => driver.read(distinct))
    const isWanted = (row: Row) =>
      this.#sessions.isLive(row) && (query.user === undefined || row.user === query.user)
    return { rows: rows.filter(isWanted), next }
  }

  /** Yields the live rows of all sessions, or of those of one user (by hash). */
  async *#rows(user?: string): AsyncGenerator<Row> {
    let after: string | undefined
    do {
      const page = await this.#page({ user, after, limit: PAGE })
      yield* page.rows
      after = page.next
    } while (after !== undefined)
  }

  /** Returns the live row for which a handle stands, if it is a row of the user. */
  async #find(handle: string, user: string | undefined): Promise<Row | undefined> {
    const key = this.#keys.fromHandle(handle)
    if (key === undefined) {
      for await (const row of this.#rows(user)) if (this.#keys.handle(row.key) === handle) return row
      return undefined
    }
    const row = await this.#readRow(key)
    return row && this.#sessions.isLive(row) && (user === undefined || row.user === user) ? row : undefined
  }

  async #readRow(key: string): Promise<Row | undefined> {
    const { driver } = this.#dispatcher
    return (await this.#dispatcher.run('read', () => driver.read([key])))[0]
  }

  /** Decodes a row. A session that cannot be read is published, and left out. */
  #read(row: Row): Promise<SessionData | undefined> {
    return new Promise((resolve) => {
      this.#sessions.decode(row, (error, session) => {
        if (error != null) this.#publishUnreadable(row.key, error)
        resolve(session)
      })
    })
  }

  /** Stores whose session this is. Resolves with whether the row said otherwise. */
  async #assignUser({ key }: Row): Promise<boolean> {
    for (;;) {
      const row = await this.#readRow(key)
      if (row === undefined || !this.#sessions.isLive(row)) return false
      const write = await this.#sessions
        .toWriteWithUser(row)
        .catch((error) => this.#publishUnreadable(key, error))
      if (write === undefined) return false
      const { driver } = this.#dispatcher
      const landed = await this.#dispatcher.run('write', () => driver.write([write], this.#settings.now()))
      // The write is refused where another request saved meanwhile, perhaps without a user: try
      // again.
      if (landed.length > 0) return true
    }
  }

  #publishUnreadable(key: string, error: unknown): void {
    publish('unreadable', this.#dispatcher.driver.name, () => this.#keys.handle(key), error)
  }
}

/**
 * Returns the hash of the user in a query. A `user` that is given and `undefined` is refused,
 * because the missing user of an anonymous visitor must not come to mean every user.
 */
const userIn = (query: { user?: User }): string | undefined =>
  'user' in query ? userHash(query.user) : undefined
