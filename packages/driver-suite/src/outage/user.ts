import type { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type Data, fresh, type RequestSession } from '../policy/fixture.ts'

export type Verb = 'lookup' | 'touch' | 'save' | 'logout'

/** What a user does with a session, again and again with a new one. */
const VISIT: readonly Verb[] = ['save', 'lookup', 'touch', 'lookup', 'save', 'touch', 'lookup', 'logout']

/** A session whose logout was acknowledged, as a request that goes on still holds it. */
export interface Ended {
  id: string
  session: RequestSession
}

let users = 0

/** Somebody whose requests come one after the other, and who remembers what the store acknowledged. */
export class User {
  readonly ended: Ended[] = []
  /** Acknowledged saves. */
  saves = 0
  /** How many acknowledged saves a lookup did not find, neither their value nor a later one. */
  lost = 0
  #store: SessionStore
  #name = `user-${++users}`
  #visits = 0
  #step = 0
  #id!: string
  #session!: RequestSession
  /** The values of the session's saves: the last one that was sent, and all that were acknowledged. */
  #sent = 0
  #saved: number[] = []

  constructor(store: SessionStore) {
    this.#store = store
    this.#begin()
  }

  get next(): Verb {
    return VISIT[this.#step]!
  }

  /** Makes the next call. One that fails is made again the next time, for nobody knows what came of it. */
  call(callback: (error: unknown) => void): void {
    const { next } = this
    const done = (error: unknown, found?: SessionData | null | void): void => {
      if (!error) this.#acknowledge(next, found)
      else if (codeOf(error) === 'GONE') this.#giveUp()
      // It never was acknowledged: the session may be there or not.
      else if (next === 'save' && this.#saved.length === 0) this.#begin()
      // That the session is lost is no failure of the call.
      callback(error && codeOf(error) !== 'GONE' ? error : null)
    }
    if (next === 'lookup') this.#store.get(this.#id, done)
    else if (next === 'logout') {
      // From here on it may be gone.
      this.#saved = []
      this.#store.destroy(this.#id, done)
    } else {
      if (next === 'save') this.#session.value = ++this.#sent
      this.#store[next === 'save' ? 'set' : 'touch'](this.#id, this.#session, done)
    }
  }

  /** Looks whether everything is there that was acknowledged. */
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

  /** Says whether the session holds the last value that was acknowledged, or a later one. */
  #compare(found: SessionData | null | void): boolean {
    const value = found ? ((found as Data).value as number) : 0
    const lost = this.#saved.filter((saved) => saved > value).length
    this.lost += lost
    return lost === 0
  }

  /** The session is lost. */
  #giveUp(): void {
    this.lost += this.#saved.length
    this.#begin()
  }

  #begin(): void {
    this.#id = `${this.#name}-${++this.#visits}`
    this.#session = fresh(this.#store, this.#id, { more: 'x'.repeat(300) })
    this.#step = 0
    this.#sent = 0
    this.#saved = []
  }
}

export const codeOf = (error: unknown): string => String((error as { code?: unknown }).code)
