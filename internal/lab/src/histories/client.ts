import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import { randomFrom } from '@session-stores/testbed/random'
import type { SessionData } from 'express-session'
import { generateSession, type RequestSession } from '../session.ts'
import { variantsOf } from './changes.ts'
import {
  type Answer,
  type Change,
  type Ended,
  type Keys,
  LIFETIMES,
  type Pair,
  type Question,
  SESSIONS,
  type Verb,
} from './protocol.ts'
import { isEnd, isOfTokens, type Purse, TokenCalls, type TokensByGrace } from './token-calls.ts'

/** How often each verb is called. */
const WEIGHTS: readonly (readonly [Verb, number])[] = [
  ['get', 26],
  ['save', 26],
  ['update', 10],
  ['touch', 8],
  ['create', 9],
  ['plain', 5],
  ['destroy', 4],
  ['revoke', 3],
  ['regenerate', 3],
  ['revokeUser', 1],
  ['grant', 2],
  ['refresh', 12],
  ['verify', 14],
]
const TOTAL = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0)
/** The share of logouts that end a client with tokens. */
const OF_TOKENS = 0.3
/**
 * The errors of calls that may have happened or not, at last of those that found no table, or a
 * session of a newer version. Any other one is a fault of the store.
 */
const UNANSWERED = [
  ...['UNAVAILABLE', 'TIMEOUT', 'BACKEND', 'OVERLOADED', 'STORAGE_FULL', 'READ_ONLY'],
  ...['BAD_STORAGE', 'FORMAT_TOO_NEW'],
]
/** What errors say about the session or the tokens. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  GONE: 'gone',
  CONFLICT: 'conflict',
  REVOKED: 'gone',
  REUSED: 'reused',
}
/** The longest pause between two calls, in milliseconds. */
const MAX_PAUSE = 60
/** Keys that several requests change. */
const SHARED = ['both', 'flag']

/** The answer to a call, and the tokens that came with it. */
export type Outcome = Omit<Ended, 'number' | 'ended'> & { readonly pair?: Pair }

/** Where the calls of a client are noted. */
export interface Recorder {
  /** Notes that the call begins, and returns its number. */
  begin(question: Question): number
  end(number: number, outcome: Omit<Outcome, 'pair'>): void
}

/** A session object of a request, with the changes of its saves that got no answer, oldest first. */
interface Loaded {
  readonly object: RequestSession
  /** The keys when the session was read, or saved with an answer. */
  keys: ReadonlySet<string>
  unanswered: Change[]
}

/** What the clients of a process share. */
export interface Parts {
  readonly store: SessionStore
  readonly tokens: TokensByGrace
  readonly purse: Purse
  /** Gives new tokens to all processes. */
  readonly hand: (pair: Pair) => void
}

/** Makes random calls about the sessions of one history, one after the other. */
export class Client {
  readonly #store: SessionStore
  readonly #history: string
  readonly #random: () => number
  readonly #name: string
  readonly #recorder: Recorder
  readonly #loaded = new Map<string, Loaded>()
  readonly #tokens: TokenCalls
  readonly #hand: (pair: Pair) => void
  #values = 0

  constructor(
    { store, tokens, purse, hand }: Parts,
    { history, seed }: { history: string; seed: number },
    recorder: Recorder,
  ) {
    this.#store = store
    this.#history = history
    this.#random = randomFrom(seed)
    this.#tokens = new TokenCalls(tokens, history, this.#random, purse)
    this.#hand = hand
    this.#name = `c${seed.toString(36)}`
    this.#recorder = recorder
  }

  async play(calls: number): Promise<void> {
    for (let i = 0; i < calls; i++) {
      await pause(this.#random() * MAX_PAUSE)
      await this.#call()
    }
  }

  async #call(): Promise<void> {
    const which = Math.floor(this.#random() * SESSIONS)
    const id = `${this.#history}-${which}`
    const lifetime = LIFETIMES[which]!
    let verb = this.#chooseVerb()
    if (isOfTokens(verb) && (!isEnd(verb) || this.#random() < OF_TOKENS)) {
      const { question, make } = this.#tokens.choose(verb)
      return this.#note(question, make)
    }
    const loaded = this.#loaded.get(id)
    // What needs a session that was read begins with the read.
    if (!loaded && ['save', 'touch', 'regenerate'].includes(verb)) verb = 'get'
    const store = this.#store
    switch (verb) {
      case 'get':
        return this.#note({ session: id, verb }, async () => {
          const found = await store.get(id)
          if (found === null) return { answer: 'null' }
          const keys = keysOf(found)
          const object = store.createSession(requestFor(id, store), found) as unknown as RequestSession
          this.#loaded.set(id, { object, keys: new Set(Object.keys(keys)), unanswered: [] })
          return { answer: 'ok', found: keys }
        })
      case 'create': {
        const set = { user: this.#history, born: this.#value() }
        const created = generateSession(store, id, set)
        created.cookie.maxAge = lifetime
        const deadline = noteworthy(deadlineOf(created), lifetime)
        return this.#note({ session: id, verb, set, deadline }, async () => {
          await store.set(id, created)
          return { answer: 'ok' }
        })
      }
      case 'save':
        return this.#save(id, lifetime, loaded!)
      case 'plain': {
        const set = { user: this.#history, plain: this.#value() }
        const expires = Date.now() + lifetime
        const deadline = noteworthy(expires, lifetime)
        const cookie = { originalMaxAge: lifetime, expires: new Date(expires) }
        return this.#note({ session: id, verb, set, deadline }, async () => {
          await store.set(id, { ...set, cookie } as unknown as SessionData)
          return { answer: 'ok' }
        })
      }
      case 'touch': {
        const { object } = loaded!
        object.touch()
        const deadline = noteworthy(deadlineOf(object), lifetime)
        return this.#note({ session: id, verb, deadline }, async () => {
          await store.touch(id, object)
          return { answer: 'ok' }
        })
      }
      case 'update':
        return this.#note({ session: id, verb }, async () => {
          const found = await store.update(id, (session) => {
            const counted = session as unknown as Record<string, string>
            return { ...session, count: `${Number(counted.count ?? 0) + 1}` } as SessionData
          })
          return found === null ? { answer: 'null' } : { answer: 'ok', found: keysOf(found) }
        })
      case 'destroy':
        return this.#note({ session: id, verb }, async () => {
          await store.destroy(id)
          return { answer: 'ok' }
        })
      case 'revoke':
        return this.#note({ session: id, verb }, async () => {
          const isEnded = await store.revoke(store.handle(id))
          return { answer: isEnded ? 'true' : 'false' }
        })
      case 'revokeUser':
        return this.#note({ session: undefined, verb }, async () => {
          await store.revokeUser(this.#history)
          return { answer: 'ok' }
        })
      case 'regenerate':
        this.#loaded.delete(id)
        return this.#note({ session: id, verb }, async () => {
          await regenerate(store, id, loaded!.object)
          return { answer: 'ok' }
        })
      default:
        throw new TypeError(`a client makes no call ${verb}`)
    }
  }

  /** Saves the session that was read, with changes of own and of shared keys. */
  async #save(id: string, lifetime: number, loaded: Loaded): Promise<void> {
    const { object } = loaded
    const isShared = this.#random() < 0.4
    const key = isShared ? SHARED[Math.floor(this.#random() * SHARED.length)]! : this.#name
    const removes = object[key] !== undefined && this.#random() < 0.2
    const change: Change = removes
      ? { set: {}, remove: [key] }
      : { set: { [key]: this.#value() }, remove: [] }
    if (removes) delete object[key]
    else Object.assign(object, change.set)
    // express-session moves the deadline with each request.
    object.touch()
    // A save that got no answer may not have landed, so the next one may bring its changes, too.
    const changes = [...loaded.unanswered, change]
    loaded.unanswered = changes
    const variants = variantsOf(changes, loaded.keys)
    const deadline = noteworthy(deadlineOf(object), lifetime)
    const question = { session: id, verb: 'save', variants, deadline } as const
    await this.#note(question, async () => {
      try {
        await this.#store.set(id, object)
      } catch (error) {
        if (['GONE', 'CONFLICT'].includes((error as { code: string }).code)) this.#loaded.delete(id)
        throw error
      }
      loaded.unanswered = []
      loaded.keys = new Set(Object.keys(keysOf(object)))
      return { answer: 'ok' }
    })
  }

  async #note(question: Question, call: () => Promise<Outcome>): Promise<void> {
    const number = this.#recorder.begin(question)
    let outcome: Outcome
    try {
      outcome = await call()
    } catch (error) {
      const { code = 'UNEXPECTED', cause } = error as { code?: string; cause?: unknown }
      const answer = ANSWERS[code] ?? (UNANSWERED.includes(code) ? 'unknown' : 'unexpected')
      outcome = { answer, code, ...(answer === 'gone' && cause !== undefined && { isUncertain: true }) }
    }
    const { pair, ...noted } = outcome
    this.#recorder.end(number, noted)
    // The others must not present tokens before their grant is noted.
    if (pair) this.#hand(pair)
    // People wait a moment where a page fails. A client must not use up its calls in an outage.
    if (outcome.answer === 'unknown') await pause(100 + this.#random() * 200)
  }

  #chooseVerb(): Verb {
    let left = this.#random() * TOTAL
    for (const [verb, weight] of WEIGHTS) {
      left -= weight
      if (left < 0) return verb
    }
    return 'get'
  }

  /** Returns a value that no other call writes. */
  #value(): string {
    return `${this.#name}.${this.#values++}`
  }
}

/** Returns the keys of a session, without its cookie. */
export function keysOf(session: SessionData): Keys {
  const { cookie: _, ...keys } = session
  return keys as unknown as Keys
}

/** Deadlines that no history reaches are all the same, which leaves the checker less to try. */
const NEVER = 8_000_000_000_000

function noteworthy(deadline: number, lifetime: number): number {
  return lifetime > 60_000 ? NEVER : deadline
}

function deadlineOf({ cookie }: SessionData): number {
  return new Date(cookie.expires as Date).getTime()
}

function requestFor(id: string, store: SessionStore): Parameters<SessionStore['createSession']>[0] {
  return { sessionID: id, sessionStore: store } as never
}

function regenerate(store: SessionStore, id: string, session: RequestSession): Promise<void> {
  // The middleware of express-session sets `generate`. The new session has another id.
  Object.assign(store, { generate: () => {} })
  return new Promise((resolve, reject) => {
    store.regenerate({ sessionID: id, session } as never, (error) => (error ? reject(error) : resolve()))
  })
}
