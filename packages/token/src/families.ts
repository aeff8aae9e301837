import { SessionStoreError } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { revoked, TokenError } from './errors.ts'
import { type ReuseEvent, reuse } from './events.ts'
import type { TokenSettings } from './options.ts'
import { createFamilyId, RefreshTokens } from './refresh-token.ts'
import { type Decision, decide, type Generation } from './rotation.ts'

/** What the session of a client that refreshes its tokens says of these. */
export interface TokenFamily extends Generation {
  /** Who got the tokens: the `client` of `grant`. */
  client: string
  /** The end of the family, however often it is refreshed, in epoch milliseconds. */
  until: number
  /**
   * The version of what is stored here. Missing in the first one, whose processes refresh no family of
   * a later one, and only end it.
   */
  version?: number
}

declare module 'express-session' {
  interface SessionData {
    /** Present where the session is one of a client with refresh tokens, and no browser's. */
    tokenFamily?: TokenFamily
  }
}

/** A state of a family that has been stored. */
export interface StoredFamily {
  handle: string
  session: SessionData & { tokenFamily: TokenFamily }
  /** Epoch milliseconds. */
  expiresAt: number
  refreshToken: string
}

/**
 * The clients that keep a refresh token. Each one is a session like any other, so it is listed,
 * sealed, limited and revoked like any other. Each change is a compare-and-set of its row: of two
 * refreshes at once one rotates, and a refresh beside a sign-out brings nothing back.
 */
export class Families {
  readonly #settings: TokenSettings
  readonly #tokens: RefreshTokens

  constructor(settings: TokenSettings) {
    this.#settings = settings
    this.#tokens = new RefreshTokens(settings.secrets, settings.issuer)
  }

  async create(data: Omit<SessionData, 'cookie'>, client: string): Promise<StoredFamily> {
    const { store, familyLifetime, now: readClock } = this.#settings
    const { absoluteTimeout } = store.settings
    const now = readClock()
    const until = now + Math.min(familyLifetime, absoluteTimeout || Number.POSITIVE_INFINITY)
    const tokenFamily: TokenFamily = { n: 0, at: now, seen: null, client, until }
    const session = { ...data, tokenFamily, cookie: this.#cookieUntil(until) } as StoredFamily['session']
    const id = createFamilyId()
    await store.set(id, session)
    return this.#toStored(id, session)
  }

  /**
   * Rotates the refresh token where it is time to, else hands out the newest one again.
   *
   * @throws MALFORMED, INVALID, REVOKED, or REUSED, which ended the family.
   */
  async refresh(token: string): Promise<StoredFamily & { rotated: boolean }> {
    const { store, grace, now } = this.#settings
    const { id, n } = this.#tokens.read(token)
    // The change may run several times, and the last run is the one that counts.
    const last: { kind: Decision['kind'] } = { kind: 'repeat' }
    const session = await store.update(id, (found) => {
      const { tokenFamily } = found
      if (tokenFamily === undefined) return undefined
      refuseTooNew(tokenFamily)
      const decision = decide(tokenFamily, n, now(), grace)
      last.kind = decision.kind
      if (decision.kind === 'reuse') return undefined
      const { generation } = decision
      if (generation === (tokenFamily as Generation)) return undefined
      const cookie = decision.kind === 'rotate' ? this.#cookieUntil(tokenFamily.until) : found.cookie
      return { ...found, tokenFamily: { ...tokenFamily, ...generation }, cookie }
    })
    if (session?.tokenFamily === undefined) throw revoked()
    const stored = this.#toStored(id, session as StoredFamily['session'])
    if (last.kind === 'reuse') await this.#endReused(id, stored)
    return { ...stored, rotated: last.kind === 'rotate' }
  }

  /** Notes that the client has the refresh token `n`. Does nothing where that is known. */
  async confirm(handle: string, n: number): Promise<void> {
    const { store, now } = this.#settings
    await store.update({ handle }, (session) => {
      const { tokenFamily } = session
      if (tokenFamily?.n !== n || tokenFamily.seen !== null) return undefined
      refuseTooNew(tokenFamily)
      // A process whose clock is behind must not end the grace period before it begins.
      return { ...session, tokenFamily: { ...tokenFamily, seen: Math.max(now(), tokenFamily.at) } }
    })
  }

  /** Ends the family of a refresh token, whatever its number. @throws MALFORMED or INVALID */
  async end(token: string): Promise<void> {
    await this.#settings.store.destroy(this.#tokens.read(token).id)
  }

  /** Returns the family of a refresh token that would be accepted now, and changes nothing. */
  async find(token: string): Promise<StoredFamily | undefined> {
    const { store, grace, now } = this.#settings
    const { id, n } = this.#tokens.read(token)
    const found = await store.peek(store.handle(id), { freshness: 0 })
    const family = found?.session.tokenFamily
    if (family) refuseTooNew(family)
    if (!found || family === undefined || decide(family, n, now(), grace).kind === 'reuse') return undefined
    return this.#toStored(id, found.session as StoredFamily['session'])
  }

  async #endReused(id: string, { handle, session }: StoredFamily): Promise<never> {
    await this.#settings.store.destroy(id)
    const { client } = session.tokenFamily
    if (reuse.hasSubscribers) reuse.publish({ handle, client } satisfies ReuseEvent)
    throw new TokenError(
      'REUSED',
      'this refresh token was replaced by a newer one, so all of them have been ended',
    )
  }

  #cookieUntil(until: number): SessionData['cookie'] {
    const { familyIdle, now } = this.#settings
    const expires = new Date(Math.min(now() + familyIdle, until))
    return { originalMaxAge: familyIdle, expires, httpOnly: true, path: '/' }
  }

  #toStored(id: string, session: StoredFamily['session']): StoredFamily {
    const { n, until } = session.tokenFamily
    const { expires } = session.cookie
    return {
      handle: this.#settings.store.handle(id),
      session,
      expiresAt: Math.min(until, new Date(expires ?? until).getTime()),
      refreshToken: this.#tokens.write({ id, n }),
    }
  }
}

/** @throws FORMAT_TOO_NEW where a newer version of this package has stored the family. */
function refuseTooNew({ version = 1 }: TokenFamily): void {
  if (version > 1)
    throw new SessionStoreError(
      'FORMAT_TOO_NEW',
      'a newer version of the package has stored these refresh tokens: upgrade @session-stores/token here',
    )
}
