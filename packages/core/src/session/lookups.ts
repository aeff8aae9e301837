import type { SessionData } from 'express-session'
import type { Call } from '../dispatch/call.ts'
import type { Dispatcher } from '../dispatch/dispatcher.ts'
import { type Done, deliver } from '../dispatch/settle.ts'
import { setImmediate } from '../dispatch/timers.ts'
import type { Row } from '../driver.ts'
import type { Keys } from '../encoding/key.ts'
import { SessionStoreError } from '../errors.ts'
import type { Derive, Known } from '../near/known.ts'
import type { Near } from '../near/near.ts'
import type { Settings } from '../options.ts'
import { isLive } from './deadline.ts'
import type { Moves } from './moves.ts'
import type { Order } from './order.ts'
import type { SaveParts } from './save.ts'

/** A live session, as `list` and `peek` return it. */
export interface ListedSession {
  /** Names the session for `revoke` and `peek`. Nobody can sign in with it. */
  handle: string
  /** Epoch milliseconds. */
  createdAt: number
  /** Epoch milliseconds. */
  expiresAt: number
  session: SessionData
}

interface Parts extends SaveParts {
  near: Near
  moves: Moves
  /** Decodes a row. With the id under which it was requested, the session gets a marker. */
  decode: (row: Row, done: Done<SessionData>, id?: string) => void
  toListed: (row: Row, session: SessionData) => ListedSession
}

/** A lookup that memory can answer. */
class Remembered {
  readonly key: string
  readonly freshness: number
  readonly done: Done<Row>

  constructor(key: string, freshness: number, done: Done<Row>) {
    this.key = key
    this.freshness = freshness
    this.done = done
  }
}

/** Looks sessions up, by their ids and by their handles: in the database, or in what is known of it. */
export class Lookups {
  readonly #dispatcher: Dispatcher
  readonly #keys: Keys
  readonly #settings: Settings
  readonly #order: Order
  readonly #near: Near
  readonly #moves: Moves
  readonly #decode: Parts['decode']
  readonly #toListed: Parts['toListed']
  /** The lookups of this turn of the event loop that memory can answer. */
  #remembered: Remembered[] = []

  constructor({ dispatcher, keys, settings, order, near, moves, decode, toListed }: Parts) {
    this.#dispatcher = dispatcher
    this.#keys = keys
    this.#settings = settings
    this.#order = order
    this.#near = near
    this.#moves = moves
    this.#decode = decode
    this.#toListed = toListed
  }

  get(call: Call<SessionData | null>, id: string): void {
    const key = this.#keys.find(id)
    // The cookie is another system's or forged: no session can have this id.
    if (key === undefined) return call.finish(null, null)
    this.#order.read(key, call, () => {
      this.#look(key, this.#near.freshness, (error, row) => {
        if (error != null) return call.finish(error)
        if (row === undefined && this.#moves.isOn) return this.#getMoved(call, id, key)
        if (row === undefined || !this.#isLive(row)) return call.finish(null, null)
        if (this.#moves.isKeeping) return this.#getCopied(call, id, row)
        this.#decode(row, (failure, found) => call.finish(failure, found), id)
      })
    })
  }

  /**
   * Answers with the row, from memory where that is fresh enough. Memory answers at the end of the
   * turn, as a database would: see docs/decisions/0015-near-cache.md.
   */
  #look(key: string, freshness: number, done: Done<Row>): void {
    if (freshness === 0) return this.#dispatcher.read(key, done)
    if (this.#find(key, freshness) === undefined) return this.#read(key, freshness, done)
    if (this.#remembered.push(new Remembered(key, freshness, done)) === 1) setImmediate(this.#answer)
  }

  /** Answers from memory, unless the turn took so long, or brought such news, that it may not. */
  readonly #answer = (): void => {
    const lookups = this.#remembered
    this.#remembered = []
    for (const { key, freshness, done } of lookups) {
      const known = this.#find(key, freshness)
      if (known === undefined) this.#read(key, freshness, done)
      else deliver(done, null, known)
    }
  }

  /** Returns what is known of a session, unless it is too old. */
  #find(key: string, freshness: number): Known | undefined {
    const known = this.#near.find(key, freshness)
    // Another process may have extended a session whose known deadline has passed.
    return known !== undefined && this.#isLive(known) ? known : undefined
  }

  /** Asks the database. */
  #read(key: string, freshness: number, done: Done<Row>): void {
    this.#near.read(
      key,
      freshness,
      false,
      (answer) => this.#dispatcher.read(key, answer),
      (error, found) => done(error, found?.isMissing ? undefined : found),
    )
  }

  /** Looks for the session in the store from which sessions move in. */
  #getMoved(call: Call<SessionData | null>, id: string, key: string): void {
    this.#moves.find(key, id, call).then(
      (row) => {
        if (row === undefined || !this.#isLive(row)) return call.finish(null, null)
        this.#decode(row, (failure, found) => call.finish(failure, found), id)
      },
      (error) => call.finish(error),
    )
  }

  /** Reads a session that may be a copy of one that a process with the other store has ended. */
  #getCopied(call: Call<SessionData | null>, id: string, row: Row): void {
    this.#moves.endWithOriginal(row, id).then(
      (ended) => {
        if (ended) return call.finish(null, null)
        this.#decode(row, (failure, found) => call.finish(failure, found), id)
      },
      (error) => call.finish(error),
    )
  }

  /** Reads a session by its handle, and marks nothing: nobody can save it by that. */
  peek(call: Call<ListedSession | null>, handle: string, freshness: number = this.#near.freshness): void {
    checkFreshness(freshness)
    const key = this.#keys.fromHandle(handle)!
    this.#order.read(key, call, () => {
      this.#look(key, freshness, (error, row) => {
        if (error != null) return call.finish(error)
        if (row === undefined || !this.#isLive(row)) return call.finish(null, null)
        this.#decode(row, (failure, session) => {
          if (failure != null) return call.finish(failure)
          call.finish(null, this.#toListed(row, session!))
        })
      })
    })
  }

  /** Finds out about a session by its handle, and remembers what `derive` makes of it. */
  consult<T>(call: Call<Known>, handle: string, freshness: number, derive: Derive<T>): void {
    checkFreshness(freshness)
    const key = this.#keys.fromHandle(handle)!
    this.#order.read(key, call, () => {
      const known = this.#near.find(key, freshness)
      if (known !== undefined && (known.data === null || this.#isLive(known)))
        return this.#derive(call, known, derive)
      const send = (answer: Done<Row>): void => this.#dispatcher.read(key, answer)
      this.#near.read(key, freshness, true, send, (error, found) => {
        if (error != null) call.finish(error)
        else this.#derive(call, found!, derive)
      })
    })
  }

  #derive<T>(call: Call<Known>, known: Known, derive: Derive<T>): void {
    if (known.factsOf(derive) !== undefined) return call.finish(null, known)
    const learn = (session: SessionData | null): void => {
      known.learn(derive, derive(session))
      call.finish(null, known)
    }
    if (known.data === null || !this.#isLive(known)) return learn(null)
    this.#decode(known, (error, session) => (error == null ? learn(session!) : call.finish(error)))
  }

  #isLive(row: Row): boolean {
    return isLive(row, this.#settings)
  }
}

/** @throws INVALID_QUERY */
function checkFreshness(freshness: unknown): void {
  if (typeof freshness !== 'number' || !(freshness >= 0 && Number.isFinite(freshness)))
    throw new SessionStoreError('INVALID_QUERY', 'freshness must be a number of milliseconds, at least 0')
}
