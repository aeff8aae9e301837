import type { Known } from '@session-stores/core'
import type { SessionData } from 'express-session'
import type { AccessClaims } from './access.ts'
import { revoked } from './errors.ts'
import type { TokenSettings } from './options.ts'

/** What tokens need to know of a session. It is a class, so that all of them have one shape. */
class Facts {
  /** The user's id as text, or `null` where the session is not there or belongs to nobody. */
  readonly user: string | null
  /** The number of the newest refresh token, while nobody has said that its client has it. */
  unconfirmed: number | undefined

  constructor(user: string | null, unconfirmed: number | undefined) {
    this.user = user
    this.unconfirmed = unconfirmed
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
  known: Known | undefined = undefined

  constructor(token: string, claims: AccessClaims) {
    this.token = copyText(token)
    this.claims = claims
  }
}

/**
 * Knows whether the sessions of access tokens are still there. The row of the session is the only
 * list of what is revoked, and the store remembers what it knows of that row: `store.consult`.
 */
export class Liveness {
  readonly #settings: TokenSettings
  readonly #confirm: (handle: string, n: number) => Promise<void>

  constructor(settings: TokenSettings, confirm: (handle: string, n: number) => Promise<void>) {
    this.#settings = settings
    this.#confirm = confirm
  }

  /**
   * Whether it is known that the session of the token is there.
   *
   * @param freshness how old the knowledge may be, in milliseconds.
   * @param now the time by the clock of the settings.
   * @throws REVOKED where it is known that the session is not there.
   */
  isKnown(verified: Verified, freshness: number, now: number): boolean {
    let { known } = verified
    if (known === undefined || known.isOver) {
      known = this.#settings.store.recall(verified.claims.sid)
      verified.known = known
    }
    if (known === undefined || !known.isRecent(freshness, now)) return false
    const facts = known.factsOf(this.#derive)
    // Another process may have extended a session whose known deadline has passed.
    if (facts === undefined || (facts.user !== null && known.expiresAt <= now)) return false
    this.#judge(verified.claims, facts)
    return true
  }

  /**
   * Asks the store whether the session of these claims is there, or shares the answer of a read that
   * is recent enough.
   *
   * @throws REVOKED, or the error of the store
   */
  async check(claims: AccessClaims, freshness: number): Promise<void> {
    const { store, stale, now } = this.#settings
    const known = await store.consult(claims.sid, freshness, this.#derive).catch((error: unknown) => {
      const last = stale ? store.recall(claims.sid) : undefined
      if (last?.factsOf(this.#derive) === undefined) throw error
      return last
    })
    if (known.expiresAt <= now()) throw revoked()
    this.#judge(claims, known.factsOf(this.#derive)!)
  }

  /** @throws REVOKED */
  #judge({ sid, sub, gen }: AccessClaims, facts: Facts): void {
    if (facts.user !== sub) throw revoked()
    if (gen === undefined || facts.unconfirmed !== gen) return
    // The client has used what came with this refresh token, so the token has arrived.
    facts.unconfirmed = undefined
    this.#confirm(sid, gen).catch(() => {
      facts.unconfirmed = gen
    })
  }

  readonly #derive = (session: SessionData | null): Facts => {
    if (session === null) return new Facts(null, undefined)
    const user = this.#settings.store.settings.user!(session)
    const { tokenFamily } = session
    const unconfirmed = tokenFamily?.seen === null ? tokenFamily.n : undefined
    return new Facts(user === undefined || user === null ? null : `${user}`, unconfirmed)
  }
}
