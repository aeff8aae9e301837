import { setTimeout as wait } from 'node:timers/promises'
import session, { type CookieOptions, type Session, type Store } from 'express-session'
import type { Backend, Data, StoredSession } from './subject.ts'
import type { Trace } from './trace.ts'

/** What the `check` of a rule is given: stores on one empty database, and a clock. */
export interface Context {
  /** The store under test. */
  store: Tested
  /**
   * A second store on the same database, as another process has one. Only rules that need
   * `second` may use it.
   */
  second: Tested
  /** Returns the time by the clock of the stores, in milliseconds since the epoch. */
  now(): number
  /**
   * Lets time pass for the stores, in milliseconds. The suite moves their clock ahead if the
   * backend has `advance`, and waits otherwise.
   */
  pass(ms: number): Promise<void>
  /**
   * Makes a session with a cookie of express-session.
   * @param data What the session holds besides its cookie. @default {}
   * @param maxAge How long the cookie lives from now on, in milliseconds; `null`: until the browser
   *   is closed. @default 3_600_000
   */
  session(data?: object, maxAge?: number | null): StoredSession
  /** What the author of the store can do to its database. Only what the rule `needs` is defined. */
  backend: Required<Backend>
  /** The calls of the stores so far, for the report. */
  trace: Trace
}

/**
 * One store, called as express-session calls it, with a promise in place of each callback.
 * A promise rejects with the error that the store passes to its callback.
 */
export class Tested {
  /** The store itself, for rules about callbacks. */
  readonly raw: Store

  constructor(store: Store) {
    this.raw = store
  }

  /**
   * Reads a session. Like express-session, `get` takes an error with the code `ENOENT` to mean that
   * there is no such session, and fulfils with `null`.
   */
  get(id: string): Promise<StoredSession | null | undefined> {
    const found = toPromise((done) => this.raw.get(id, done)) as Promise<StoredSession | null | undefined>
    return found.catch((error) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  }

  /** Saves a session. */
  set(id: string, data: StoredSession | Session): Promise<void> {
    return toPromise((done) => this.raw.set(id, data as StoredSession, done)) as Promise<void>
  }

  /** Extends a session to the deadline of this cookie. */
  touch(id: string, data: StoredSession | Session): Promise<void> {
    return toPromise((done) => this.raw.touch!(id, data as StoredSession, done)) as Promise<void>
  }

  /** Ends a session. */
  destroy(id: string): Promise<void> {
    return toPromise((done) => this.raw.destroy(id, done)) as Promise<void>
  }

  /** Returns every session. The store may answer with an array or with an object of sessions. */
  async all(): Promise<StoredSession[]> {
    const all = await toPromise((done) => this.raw.all!(done))
    return Object.values((all ?? {}) as Record<string, StoredSession>)
  }

  /** Returns the number of sessions. */
  length(): Promise<number> {
    return toPromise((done) => this.raw.length!(done as never)) as Promise<number>
  }

  /** Ends every session. */
  clear(): Promise<void> {
    return toPromise((done) => this.raw.clear!(done)) as Promise<void>
  }

  /** Returns the session without its cookie, or `undefined` if there is no such session. */
  async data(id: string): Promise<Data | undefined> {
    const found = await this.get(id)
    if (!found) return undefined
    const { cookie, ...data } = found
    return data
  }

  /**
   * Returns the session as express-session gives it to a request: read from this store, or newly
   * generated if there is none. The methods of the session call this store.
   * @param cookie The cookie of a generated session.
   */
  async open(id: string, cookie: CookieOptions = {}): Promise<Session & Data> {
    const request = { sessionID: id, sessionStore: this.raw }
    const found = await this.get(id)
    if (found) return this.raw.createSession(request as never, found) as Session & Data
    // The types of express-session keep both constructors private.
    const Generated = session.Session as unknown as new (req: object) => Session & Data
    const generated = new Generated(request)
    generated.cookie = new Cookie(cookie)
    return generated
  }
}

const Cookie = session.Cookie as unknown as new (options: object) => Session['cookie']

function toPromise(call: (done: (error?: unknown, result?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)))
  })
}

/**
 * Makes the context of one rule, whose calls are written to the trace.
 * @param skew Milliseconds that the clock of the stores is ahead of the database's. @default 0
 */
export function createContext(backend: Backend, trace: Trace, skew = 0): Context {
  const [first, second] = backend.stores
  let ahead = skew
  const now = (): number => Date.now() + ahead
  return {
    store: new Tested(trace.follow(first, 'store')),
    second: new Tested(second ? trace.follow(second, 'second') : first),
    now,
    async pass(ms) {
      trace.addPause(ms)
      if (!backend.advance) return wait(ms)
      ahead += ms
      await backend.advance(ms)
    },
    session(data = {}, maxAge = 3_600_000) {
      const cookie = new Cookie({ httpOnly: true, path: '/' })
      cookie.expires = maxAge === null ? null : new Date(now() + maxAge)
      // The setter of `expires` computes this by the clock of the machine, not by that of the
      // stores.
      cookie.originalMaxAge = maxAge
      return { cookie, ...data } as StoredSession
    },
    backend: backend as Required<Backend>,
    trace,
  }
}
