import { type EndedEvent, events, timers } from '@session-stores/core'
import { LRUCache } from 'lru-cache'
import type { AccessClaims } from './access.ts'
import { revoked } from './errors.ts'
import type { TokenSettings } from './options.ts'

const { uptime } = timers

/** What a read of a session said. It is a class, so that all of them have one shape. */
export class Knowledge {
  /** When the read began, by the clock of the settings. */
  readonly time: number
  /** When the read began, by `uptime`, which no change of the system's clock moves. */
  readonly uptime: number
  /** The user's id as text, or `null` where the session was not there. */
  user: string | null = null
  /** The end of the session, in epoch milliseconds. */
  expiresAt = 0
  /** The number of the newest refresh token, while nobody has said that its client has it. */
  unconfirmed: number | undefined = undefined
  /** Whether it counts no longer, because the session may have ended, or because it was replaced. */
  isOver = false

  constructor(time: number) {
    this.time = time
    this.uptime = uptime()
  }
}

/**
 * Returns a copy that is not a part of another string: it is compared faster, and does not keep the
 * whole header in memory.
 */
export const copyText = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

/** The claims of an access token that was verified, and what is known of its session. */
export class Verified {
  readonly token: string
  readonly claims: AccessClaims
  /** Kept here, so that a request needs one look-up instead of two. */
  knowledge: Knowledge | undefined = undefined

  constructor(token: string, claims: AccessClaims) {
    this.token = copyText(token)
    this.claims = claims
  }
}

/** A read that is under way, for everybody who may share it. */
interface Reading {
  knowledge: Knowledge
  answer: Promise<Knowledge>
}

/**
 * Knows whether the sessions of access tokens are still there. The row of the session is the only
 * list of what is revoked, and what is remembered of it is as old as its read: a read that began
 * before a sign-out of this process says nothing about the time after it.
 */
export class Liveness {
  readonly #settings: TokenSettings
  readonly #confirm: (handle: string, n: number) => Promise<void>
  readonly #known: LRUCache<string, Knowledge>
  readonly #readings = new Map<string, Reading>()

  constructor(settings: TokenSettings, confirm: (handle: string, n: number) => Promise<void>) {
    this.#settings = settings
    this.#confirm = confirm
    this.#known = new LRUCache({
      max: settings.cacheSize,
      dispose: (knowledge) => {
        knowledge.isOver = true
      },
    })
    events.ended.subscribe(this.#forget)
  }

  close(): void {
    events.ended.unsubscribe(this.#forget)
  }

  /**
   * Whether it is known that the session of the token is there.
   *
   * @param freshness how old the knowledge may be, in milliseconds.
   * @param now the time by the clock of the settings.
   * @throws REVOKED where it is known that the session is not there.
   */
  isKnown(verified: Verified, freshness: number, now: number): boolean {
    let { knowledge } = verified
    if (knowledge === undefined || knowledge.isOver) {
      knowledge = this.#known.get(verified.claims.sid)
      verified.knowledge = knowledge
    }
    if (knowledge === undefined || !isRecent(knowledge, freshness, now)) return false
    this.#judge(verified.claims, knowledge, now)
    return true
  }

  /**
   * Asks the store whether the session of these claims is there, or shares the answer of a read that
   * is recent enough.
   *
   * @throws REVOKED, or the error of the store
   */
  async check(claims: AccessClaims, freshness: number): Promise<void> {
    const { sid } = claims
    const shared = this.#readings.get(sid)
    const { now } = this.#settings
    const { answer } = shared && isRecent(shared.knowledge, freshness, now()) ? shared : this.#read(sid)
    const knowledge = await answer.catch((error: unknown) => {
      const last = this.#settings.stale ? this.#known.get(sid) : undefined
      if (last === undefined) throw error
      return last
    })
    this.#judge(claims, knowledge, now())
  }

  #read(handle: string): Reading {
    const { store, now } = this.#settings
    const knowledge = new Knowledge(now())
    const answer = store.peek(handle).then(
      (listed) => {
        if (listed) {
          const { session, expiresAt } = listed
          const user = store.settings.user!(session)
          knowledge.user = user === undefined || user === null ? null : `${user}`
          knowledge.expiresAt = expiresAt
          const { tokenFamily } = session
          if (tokenFamily?.seen === null) knowledge.unconfirmed = tokenFamily.n
        }
        if (this.#readings.get(handle) === reading) {
          this.#readings.delete(handle)
          this.#known.set(handle, knowledge)
        }
        return knowledge
      },
      (error: unknown) => {
        if (this.#readings.get(handle) === reading) this.#readings.delete(handle)
        throw error
      },
    )
    const reading: Reading = { knowledge, answer }
    this.#readings.set(handle, reading)
    return reading
  }

  /** @throws REVOKED */
  #judge({ sid, sub, gen }: AccessClaims, knowledge: Knowledge, now: number): void {
    if (knowledge.user !== sub || knowledge.expiresAt <= now) throw revoked()
    if (gen === undefined || knowledge.unconfirmed !== gen) return
    // The client has used what came with this refresh token, so the token has arrived.
    knowledge.unconfirmed = undefined
    this.#confirm(sid, gen).catch(() => {
      knowledge.unconfirmed = gen
    })
  }

  readonly #forget = (message: unknown): void => {
    const { handle } = message as EndedEvent
    if (handle === undefined) {
      this.#known.clear()
      this.#readings.clear()
    } else {
      this.#known.delete(handle)
      this.#readings.delete(handle)
    }
  }
}

/** Whether both clocks say so, because the clock of the system may be set. */
function isRecent(knowledge: Knowledge, freshness: number, now: number): boolean {
  const age = now - knowledge.time
  return freshness > 0 && age >= 0 && age < freshness && uptime() - knowledge.uptime < freshness
}
