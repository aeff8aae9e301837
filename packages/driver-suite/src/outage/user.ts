import type { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { getCode } from '../common.ts'
import { type Data, makeFresh, type RequestSession } from '../policy/sessions.ts'

export type Verb = 'lookup' | 'touch' | 'save' | 'logout'

/** The calls that a user makes for one session, before a new one begins. */
const VISIT: readonly Verb[] = ['save', 'lookup', 'touch', 'lookup', 'save', 'touch', 'lookup', 'logout']

/** A session whose logout was acknowledged, as a request that is still running holds it. */
export interface Ended {
  id: string
  session: RequestSession
}

let users = 0

/** Makes one call after the other, and remembers what the store acknowledged. */
export class User {
  readonly ended: Ended[] = []
  /** The number of acknowledged saves. */
  saves = 0
  /**
   * The number of acknowledged saves of which a lookup found neither the value nor a later value.
   */
  lost = 0
  #store: SessionStore
  #name = `user-${++users}`
  #visits = 0
  #step = 0
  #id!: string
  #session!: RequestSession
  /** The value of the last save that was sent. */
  #sent = 0
  /** The values of all acknowledged saves of this session. */
  #saved: number[] = []

  constructor(store: SessionStore) {
    this.#store = store
    this.#begin()
  }

  /** The verb of the next call. */
  get next(): Verb {
    return VISIT[this.#step]!
  }

  /**
   * Makes the next call. A failed call is repeated the next time, because it may have taken effect
   * or not.
   */
  call(callback: (error: unknown) => void): void {
    const { next } = this
    const done = (error: unknown, found?: SessionData | null | void): void => {
      if (!error) this.#acknowledge(next, found)
      else if (getCode(error) === 'GONE') this.#giveUp()
      // The first save was not acknowledged, so the session may exist or not, and a new one begins.
      else if (next === 'save' && this.#saved.length === 0) this.#begin()
      // A lost session is counted by `lost`, not as a failed call.
      callback(error && getCode(error) !== 'GONE' ? error : null)
    }
    if (next === 'lookup') this.#store.get(this.#id, done)
    else if (next === 'logout') {
      // From now on the session may be gone, so a lookup without a result is no loss.
      this.#saved = []
      this.#store.destroy(this.#id, done)
    } else {
      if (next === 'save') this.#session.value = ++this.#sent
      this.#store[next === 'save' ? 'set' : 'touch'](this.#id, this.#session, done)
    }
  }

  /** Counts the acknowledged saves that a last lookup does not find. */
  async check(): Promise<void> {
    if (this.#saved.length > 0) this.#compare(await this.#store.get(this.#id))
  }

  #acknowledge(verb: Verb, found: SessionData | null | void): void {
    if (verb === 'save') {
      this.saves++
      this.#saved.push(this.#sent)
    }
    if (verb === 'logout') {
      this.ended.push({ id: this.#id, session: this.#session })
      this.#begin()
    } else if (verb !== 'lookup') this.#step++
    else if (this.#compare(found)) {
      const request = { sessionID: this.#id, sessionStore: this.#store }
      this.#session = this.#store.createSession(request as never, found!) as RequestSession
      this.#step++
    } else this.#begin()
  }

  /**
   * Returns whether the session has the last acknowledged value, or a later one. Counts lost saves.
   */
  #compare(found: SessionData | null | void): boolean {
    const value = found ? ((found as Data).value as number) : 0
    const lost = this.#saved.filter((saved) => saved > value).length
    this.lost += lost
    return lost === 0
  }

  /** Counts all saves of the session as lost, and begins a new one. */
  #giveUp(): void {
    this.lost += this.#saved.length
    this.#begin()
  }

  #begin(): void {
    this.#id = `${this.#name}-${++this.#visits}`
    this.#session = makeFresh(this.#store, this.#id, { more: 'x'.repeat(300) })
    this.#step = 0
    this.#sent = 0
    this.#saved = []
  }
}
