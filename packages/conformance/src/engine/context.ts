import { setTimeout as wait } from 'node:timers/promises'
import session, { type CookieOptions, type Session, type Store } from 'express-session'
import type { Backend, Data, StoredSession } from './rule.ts'
import type { Trace } from './trace.ts'

/** What a rule works with: stores on one empty database, and a clock. */
export interface Context {
  store: Tested
  /** A second store on the same database, as another process has one; only for rules that need `second`. */
  second: Tested
  /** Epoch milliseconds by the clock of the stores. */
  now(): number
  /** Lets so many milliseconds pass, for the stores: by their clock where they let the suite drive it. */
  pass(ms: number): Promise<void>
  /**
   * A session, whose cookie is express-session's and lives for `maxAge` ms from now; `null`: until the browser is
   * closed. An hour by default.
   */
  session(data?: object, maxAge?: number | null): StoredSession
  /** What the author of the store can do to its database; there as far as the rule `needs` it. */
  backend: Required<Backend>
  trace: Trace
}

/** One store, called as express-session calls it, with promises for its callbacks. They reject with the first error. */
export class Tested {
  /** The store itself, for a rule about callbacks. */
  readonly raw: Store
  constructor(store: Store) {
    this.raw = store
  }

  /** As express-session takes the answer: an error with the code `ENOENT` says that there is no such session. */
  get(id: string): Promise<StoredSession | null | undefined> {
    const found = answer((done) => this.raw.get(id, done)) as Promise<StoredSession | null | undefined>
    return found.catch((error) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
  }

  set(id: string, data: StoredSession | Session): Promise<void> {
    return answer((done) => this.raw.set(id, data as StoredSession, done)) as Promise<void>
  }

  touch(id: string, data: StoredSession | Session): Promise<void> {
    return answer((done) => this.raw.touch!(id, data as StoredSession, done)) as Promise<void>
  }

  destroy(id: string): Promise<void> {
    return answer((done) => this.raw.destroy(id, done)) as Promise<void>
  }

  /** The sessions, whichever of the two shapes that the documentation allows the store has for them. */
  async all(): Promise<StoredSession[]> {
    const all = await answer((done) => this.raw.all!(done))
    return Object.values((all ?? {}) as Record<string, StoredSession>)
  }

  length(): Promise<number> {
    return answer((done) => this.raw.length!(done as never)) as Promise<number>
  }

  clear(): Promise<void> {
    return answer((done) => this.raw.clear!(done)) as Promise<void>
  }

  /** What the session holds besides its cookie; `undefined` where there is none. */
  async data(id: string): Promise<Data | undefined> {
    const found = await this.get(id)
    if (!found) return undefined
    const { cookie, ...data } = found
    return data
  }

  /** The session as express-session has it for a request, read or generated. Its methods go to this store. */
  async open(id: string, cookie: CookieOptions = {}): Promise<Session & Data> {
    const request = { sessionID: id, sessionStore: this.raw }
    const found = await this.get(id)
    if (found) return this.raw.createSession(request as never, found) as Session & Data
    // The types keep the constructor to express-session itself, and that of the cookie.
    const Generated = session.Session as unknown as new (req: object) => Session & Data
    const generated = new Generated(request)
    generated.cookie = new Cookie(cookie)
    return generated
  }
}

const Cookie = session.Cookie as unknown as new (options: object) => Session['cookie']

function answer(call: (done: (error?: unknown, result?: unknown) => void) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)))
  })
}

/** What a rule is given, whose calls are written down in this trace; `skew` as in `MakeOptions`. */
export function contextOf(backend: Backend, trace: Trace, skew = 0): Context {
  const [first, second] = backend.stores
  let ahead = skew
  const now = (): number => Date.now() + ahead
  return {
    store: new Tested(trace.follow(first, 'store')),
    second: new Tested(second ? trace.follow(second, 'second') : first),
    now,
    async pass(ms) {
      trace.passed(ms)
      if (!backend.advance) return wait(ms)
      ahead += ms
      await backend.advance(ms)
    },
    session(data = {}, maxAge = 3_600_000) {
      const cookie = new Cookie({ httpOnly: true, path: '/' })
      cookie.expires = maxAge === null ? null : new Date(now() + maxAge)
      // The cookie knows only the clock of this machine.
      cookie.originalMaxAge = maxAge
      return { cookie, ...data } as StoredSession
    },
    backend: backend as Required<Backend>,
    trace,
  }
}
