import type { SessionData } from 'express-session'
import { LRUCache } from 'lru-cache'
import { type AccessClaims, type AccessToken, AccessTokens, hasExpired } from './access.ts'
import { TokenError } from './errors.ts'
import { Families, type StoredFamily } from './families.ts'
import type { PublishedKey } from './keys.ts'
import { copyText, Liveness, Verified } from './liveness.ts'
import { isFreshness, type TokenSettings, type TokensOptions, toSettings } from './options.ts'
import { isRefreshToken } from './refresh-token.ts'

/** What a client gets at its sign-in, and again whenever it refreshes its tokens. */
export interface TokenPair extends AccessToken {
  refreshToken: string
}

/** What `verify` takes. */
export interface VerifyOptions {
  /** One of the audiences of the option `audience`, for which the token must be. */
  audience?: string
  /** Overrides the option `freshness`. Anything that is no such option is a `TypeError`. */
  freshness?: number | false
}

/** The answer of `introspect` (RFC 7662, 2.2). */
export type Introspection =
  | { active: false }
  | ({ active: true; token_type: 'access_token' } & AccessClaims)
  | {
      active: true
      token_type: 'refresh_token'
      client_id: string
      sub: string
      /** The handle of the session. */
      sid: string
      /** Epoch seconds. */
      exp: number
    }

/** The part of a request of Express that `fromSession` uses. */
export interface SessionRequest {
  sessionID?: string
  sessionStore?: unknown
}

/** Asks the database, whatever the store remembers. */
const ASK = { freshness: 0 }

/** The `client_id` of tokens that come from a browser's session. */
const BROWSER = 'session'

/**
 * Access tokens (JWTs) and refresh tokens beside sessions. Each token belongs to a session of the
 * store and ends with it: `store.revoke`, `store.revokeUser` and a sign-out end all of them.
 *
 * @example
 * const tokens = new Tokens({ store, issuer: 'https://example.com', audience: 'my-api', secret })
 * const { accessToken, refreshToken } = await tokens.grant({ userId: 'ada' }, { client: 'cli' })
 * const { sub } = await tokens.verify(accessToken)
 */
export class Tokens {
  readonly #settings: TokenSettings
  readonly #access: AccessTokens
  readonly #families: Families
  readonly #liveness: Liveness
  /** Verified tokens by the end of their text. */
  readonly #verified: LRUCache<string, Verified>

  /** @throws TypeError for a wrong option. */
  constructor(options: TokensOptions) {
    this.#settings = toSettings(options)
    this.#access = new AccessTokens(this.#settings)
    this.#families = new Families(this.#settings)
    this.#liveness = new Liveness(this.#settings, (handle, n) => this.#families.confirm(handle, n))
    this.#verified = new LRUCache({ max: this.#settings.cacheSize })
  }

  /**
   * Returns an access token for the session of this request, so that the session's cookie takes the
   * place of a refresh token. Protect the route against other sites (`sameOrigin`).
   *
   * @throws NOT_SIGNED_IN, INVALID_CLAIMS, TOO_LARGE, or a TypeError where the request's session is
   *   in another store.
   */
  async fromSession({ sessionID, sessionStore }: SessionRequest): Promise<AccessToken> {
    const { store } = this.#settings
    if (sessionStore !== undefined && sessionStore !== store)
      throw new TypeError('the request has its session in another store than these tokens')
    // The row is read again: this request may have begun before a sign-out.
    const listed = typeof sessionID === 'string' ? await store.peek(store.handle(sessionID), ASK) : null
    if (listed === null) throw new TokenError('NOT_SIGNED_IN', 'there is no stored session')
    return this.#access.issue(listed, BROWSER)
  }

  /**
   * Starts a session for a client without cookies, such as an app or a command-line program, and
   * returns its first tokens. Call it after the user has proved who they are.
   *
   * @param data the data of the session, by which the store's option `user` finds its user.
   * @throws NOT_SIGNED_IN, INVALID_CLAIMS, TOO_LARGE, or the error of the store
   */
  async grant(data: Partial<SessionData>, { client }: { client: string }): Promise<TokenPair> {
    if (typeof client !== 'string' || !/^[ -~]{1,128}$/.test(client))
      throw new TypeError(
        "'client' takes the name of the client, such as 'cli', of 1 to 128 printable characters",
      )
    const { cookie: _cookie, tokenFamily: _family, ...own } = data
    this.#access.userOf(own as SessionData)
    const signedInAt = this.#settings.now()
    return this.#pair(
      await this.#families.create({ signedInAt, ...own } as Omit<SessionData, 'cookie'>, client),
    )
  }

  /**
   * Returns a new access token, and the refresh token to use from now on: a new one (`rotated`), or
   * the same one where it is too young to be replaced. A client must keep it only where it differs
   * from the one it sent, because a late answer would otherwise replace a newer token. An error of
   * the store changes nothing, so the client may try again with the same token.
   *
   * @throws MALFORMED, INVALID, REVOKED, REUSED, INVALID_CLAIMS, TOO_LARGE, or the error of the store
   */
  async refresh(refreshToken: string): Promise<TokenPair & { rotated: boolean }> {
    const { rotated, ...stored } = await this.#families.refresh(refreshToken)
    return { ...(await this.#pair(stored)), rotated }
  }

  /**
   * Returns the claims of a valid access token whose session is there. They are frozen.
   *
   * @throws MALFORMED, INVALID, EXPIRED, REVOKED, or the error of the store
   */
  async verify(token: string, options: VerifyOptions = {}): Promise<AccessClaims> {
    const known = this.verifyKnown(token, options)
    if (known) return known
    // Moves the token to the end of the cache, which a check that waits for nothing does not do.
    let claims = this.#find(token) && this.#verified.get(keyOf(token))?.claims
    if (claims === undefined) {
      claims = await this.#access.verify(token)
      this.#verified.set(copyText(keyOf(token)), new Verified(token, claims))
    }
    this.#checkAudience(claims, options)
    const freshness = this.#freshnessOf(options)
    if (freshness !== false) await this.#liveness.check(claims, freshness)
    return claims
  }

  /**
   * Does what `verify` does where nothing has to be waited for, and returns `undefined` otherwise.
   * In a server that is busy, waiting costs more than the check.
   *
   * @throws EXPIRED, INVALID or REVOKED
   */
  verifyKnown(token: string, options: VerifyOptions = {}): AccessClaims | undefined {
    const verified = this.#find(token)
    if (verified === undefined) return undefined
    const { claims } = verified
    const now = this.#settings.now()
    if (hasExpired(claims, now)) {
      this.#verified.delete(keyOf(token))
      throw new TokenError('EXPIRED', 'this access token has expired')
    }
    this.#checkAudience(claims, options)
    const freshness = this.#freshnessOf(options)
    return freshness === false || this.#liveness.isKnown(verified, freshness, now) ? claims : undefined
  }

  #freshnessOf({ freshness }: VerifyOptions): number | false {
    if (freshness === undefined) return this.#settings.freshness
    if (!isFreshness(freshness))
      throw new TypeError("'freshness' takes a number of milliseconds up to a day, 0, or false")
    return freshness
  }

  /**
   * Ends the session of an access or refresh token, and with it all its tokens (RFC 7009). Does
   * nothing where the token is not one of ours, or its session has ended.
   *
   * @throws the error of the store
   */
  async revoke(token: string): Promise<void> {
    try {
      if (isRefreshToken(token)) return await this.#families.end(token)
      const { sid } = await this.#access.verify(token, { evenExpired: true })
      await this.#settings.store.revoke(sid)
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
    }
  }

  /**
   * Says whether a token is valid now, and what it says (RFC 7662). Always asks the store.
   *
   * @throws the error of the store
   */
  async introspect(token: string): Promise<Introspection> {
    try {
      if (!isRefreshToken(token))
        return { ...(await this.verify(token, { freshness: 0 })), active: true, token_type: 'access_token' }
      const found = await this.#families.find(token)
      if (found === undefined) return { active: false }
      const { handle, session, expiresAt } = found
      return {
        active: true,
        token_type: 'refresh_token',
        client_id: session.tokenFamily.client,
        sub: this.#access.userOf(session),
        sid: handle,
        exp: Math.floor(expiresAt / 1000),
      }
    } catch (error) {
      if (error instanceof TokenError) return { active: false }
      throw error
    }
  }

  /** Returns the public keys for other services (RFC 7517); none where tokens are signed by HS256. */
  async jwks(): Promise<{ keys: PublishedKey[] }> {
    return (await this.#access.keys()).published()
  }

  /** Returns the scopes that a token of this session has; `undefined` without the option `scopes`. */
  scopesOf(session: SessionData): readonly string[] | undefined {
    return this.#access.scopesOf(session)
  }

  /** Returns the store of the sessions. */
  get store(): TokensOptions['store'] {
    return this.#settings.store
  }

  /** Forgets the verified tokens. The store stays open. */
  close(): void {
    this.#verified.clear()
  }

  /** Finds the exact text of the token, and no other spelling of it. */
  #find(token: string): Verified | undefined {
    if (typeof token !== 'string') return undefined
    const found = this.#verified.peek(keyOf(token))
    return found?.token === token ? found : undefined
  }

  #checkAudience(claims: AccessClaims, { audience }: VerifyOptions): void {
    if (audience !== undefined && !isFor(claims, audience))
      throw new TokenError('INVALID', 'this access token is for another audience')
  }

  async #pair(stored: StoredFamily): Promise<TokenPair> {
    const { client, n } = stored.session.tokenFamily
    return { ...(await this.#access.issue(stored, client, n)), refreshToken: stored.refreshToken }
  }
}

/** A part of the signature, because to hash the whole text of a token takes longer than its check. */
const keyOf = (token: string): string => token.slice(-43)

const isFor = ({ aud }: AccessClaims, audience: string): boolean =>
  typeof aud === 'string' ? aud === audience : aud.includes(audience)
