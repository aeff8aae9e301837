import type { SessionData } from 'express-session'
import type { Backend } from '../dispatch/dispatcher.ts'
import type { ListQuery, Row } from '../driver.ts'
import type { Keys } from '../encoding/key.ts'
import { events, type SessionEvent } from '../events.ts'
import type { Sessions } from './sessions.ts'

/** How many rows are asked for at a time. */
export const PAGE = 256

/** Which sessions there are: the live rows of all or of one user (by hash), page by page. */
export class Directory {
  readonly #backend: Backend
  readonly #keys: Keys
  readonly #sessions: Sessions
  readonly #now: () => number

  constructor(backend: Backend, keys: Keys, sessions: Sessions, now: () => number) {
    this.#now = now
    this.#backend = backend
    this.#keys = keys
    this.#sessions = sessions
  }

  async page(query: ListQuery): Promise<{ rows: Row[]; next: string | undefined }> {
    const { driver } = this.#backend
    const { keys, next } = await this.#backend.run('list', () => driver.list(query))
    const distinct = [...new Set(keys)].sort()
    if (distinct.length === 0) return { rows: [], next }
    const rows = await this.#backend.run('read', () => driver.read(distinct))
    const isWanted = (row: Row) =>
      this.#sessions.isLive(row) && (query.user === undefined || row.user === query.user)
    return { rows: rows.filter(isWanted), next }
  }

  async *rows(user?: string): AsyncGenerator<Row> {
    let after: string | undefined
    do {
      const page = await this.page({ user, after, limit: PAGE })
      yield* page.rows
      after = page.next
    } while (after !== undefined)
  }

  /** The live row that a handle stands for, if it is the user's. */
  async find(handle: string, user: string | undefined): Promise<Row | undefined> {
    const key = this.#keys.fromHandle(handle)
    if (key === undefined) {
      for await (const row of this.rows(user)) if (this.#keys.handle(row.key) === handle) return row
      return undefined
    }
    const [row] = await this.#backend.run('read', () => this.#backend.driver.read([key]))
    return row && this.#sessions.isLive(row) && (user === undefined || row.user === user) ? row : undefined
  }

  /** The session of a row; one that cannot be read is nothing, and published. */
  read(row: Row): Promise<SessionData | undefined> {
    return new Promise((resolve) => {
      this.#sessions.revive(row, (error, session) => {
        if (error != null) this.#publishUnreadable(row.key, error)
        resolve(session)
      })
    })
  }

  /** Stores whose session it is, where the row says otherwise. Fulfils with whether that was so. */
  async assignUser({ key }: Row): Promise<boolean> {
    for (;;) {
      // Whoever saves meanwhile is first, and may know of no users: then the session is looked at again.
      const [row] = await this.#backend.run('read', () => this.#backend.driver.read([key]))
      if (row === undefined || !this.#sessions.isLive(row)) return false
      const write = await this.#sessions.withUser(row).catch((error) => this.#publishUnreadable(key, error))
      if (write === undefined) return false
      const landed = await this.#backend.run('write', () => this.#backend.driver.write([write], this.#now()))
      if (landed.length > 0) return true
    }
  }

  #publishUnreadable(key: string, error: unknown): void {
    if (!events.unreadable.hasSubscribers) return
    const { name } = this.#backend.driver
    events.unreadable.publish({ driver: name, handle: this.#keys.handle(key), error } satisfies SessionEvent)
  }
}
