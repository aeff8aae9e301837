import { randomBytes } from 'node:crypto'
import type { ListedSession } from '@session-stores/core'
import type { SessionData } from 'express-session'
import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { TokenError } from './errors.ts'
import { KeyRing } from './keys.ts'
import type { TokenSettings } from './options.ts'

/**
 * The claims of an access token (RFC 9068), and those of the option `claims`. No type of jose is
 * public, because older compilers cannot import jose into CommonJS.
 */
export interface AccessClaims {
  iss: string
  aud: string | string[]
  /** The user's id, as text. */
  sub: string
  /** Epoch seconds. */
  iat: number
  /** Epoch seconds. */
  exp: number
  jti: string
  /** Who got the token: the `client` of `grant`, or `session` for a token of a browser's session. */
  client_id: string
  /** The handle of the session, as `store.list` returns it. */
  sid: string
  /** The number of the refresh token that came with it. */
  gen?: number
  /** The scopes, separated by spaces. */
  scope?: string
  /** When the user signed in, in epoch seconds. */
  auth_time?: number
  /** Epoch seconds. */
  nbf?: number
  [claim: string]: unknown
}

/** An access token, with what a client has to know of it. */
export interface AccessToken {
  accessToken: string
  /** Seconds until it expires, as in RFC 6749, 5.1. */
  expiresIn: number
  /** The scopes, separated by spaces; missing without the option `scopes`. */
  scope?: string
}

/** The largest token that is verified, in characters. */
const MAX_LENGTH = 4096
/** The largest token that is issued, in characters: servers allow about 8 KB for all headers. */
const MAX_ISSUED = 3500
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const HANDLE = /^[\w-]{43}$/
/** RFC 6749, appendix A.4. */
const SCOPE = /^[!#-[\]-~]+$/
const TYPE = 'at+jwt'
const REQUIRED = ['iss', 'aud', 'sub', 'client_id', 'iat', 'exp', 'jti', 'sid']
const RESERVED = new Set([...REQUIRED, 'nbf', 'gen', 'scope', 'auth_time', 'cnf'])
/** How far the clocks of two servers may differ, in seconds. */
const TOLERANCE = 5
/** The part of the lifetime that is drawn by chance, so that clients do not all refresh at once. */
const JITTER = 0.05

/** Issues access tokens, and checks everything of them but whether their session is still there. */
export class AccessTokens {
  readonly #settings: TokenSettings
  #ring: KeyRing | undefined
  #loading: Promise<KeyRing> | undefined

  constructor(settings: TokenSettings) {
    this.#settings = settings
  }

  /** Returns the keys. They are made ready at the first use. */
  keys(): Promise<KeyRing> {
    const { keys, secrets, issuer } = this.#settings
    this.#loading ??= KeyRing.load(keys, secrets, issuer).then((ring) => {
      this.#ring = ring
      return ring
    })
    return this.#loading
  }

  /**
   * @param client who gets the token.
   * @param gen the number of the refresh token that comes with it.
   * @throws NOT_SIGNED_IN, REVOKED, INVALID_CLAIMS or TOO_LARGE
   */
  async issue(
    { handle, expiresAt, session }: Omit<ListedSession, 'createdAt'>,
    client: string,
    gen?: number,
  ): Promise<AccessToken> {
    const { issuer, audience, lifetime, now: readClock } = this.#settings
    const now = readClock()
    const sub = this.userOf(session)
    const iat = Math.floor(now / 1000)
    const seconds = Math.max(1, Math.floor((lifetime * (1 - JITTER * Math.random())) / 1000))
    const exp = Math.min(iat + seconds, Math.floor(expiresAt / 1000))
    if (exp <= iat) throw new TokenError('REVOKED', 'the session of this token ends now')
    const scope = this.scopesOf(session)?.join(' ')
    const { signedInAt } = session as { signedInAt?: unknown }
    const claims = {
      ...this.#ownClaims(session),
      ...{ iss: issuer, aud: audience.length === 1 ? audience[0]! : [...audience], sub, client_id: client },
      ...{ iat, exp, jti: randomBytes(16).toString('base64url'), sid: handle },
      ...(gen !== undefined && { gen }),
      ...(scope !== undefined && { scope }),
      ...(typeof signedInAt === 'number' && { auth_time: Math.floor(signedInAt / 1000) }),
    }
    const { alg, kid, sign } = (this.#ring ?? (await this.keys())).signer
    const accessToken = await new SignJWT(claims).setProtectedHeader({ alg, kid, typ: TYPE }).sign(sign)
    if (accessToken.length > MAX_ISSUED)
      throw new TokenError(
        'TOO_LARGE',
        `the access token has more than ${MAX_ISSUED} characters; return fewer claims`,
      )
    return { accessToken, expiresIn: exp - iat, ...(scope !== undefined && { scope }) }
  }

  /** Returns the id of the session's user as text. @throws NOT_SIGNED_IN */
  userOf(session: SessionData): string {
    const user = this.#settings.store.settings.user!(session)
    if (user === undefined || user === null)
      throw new TokenError('NOT_SIGNED_IN', 'the session belongs to nobody')
    return `${user}`
  }

  /** Returns the scopes of a session, or `undefined` without the option. @throws INVALID_CLAIMS */
  scopesOf(session: SessionData): readonly string[] | undefined {
    const scopes = callOption('scopes', () => this.#settings.scopes?.(session))
    if (scopes === undefined) return undefined
    if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string' && SCOPE.test(scope)))
      throw new TokenError(
        'INVALID_CLAIMS',
        "the option 'scopes' must return an array of words without spaces",
      )
    return scopes
  }

  #ownClaims(session: SessionData): Readonly<Record<string, unknown>> {
    const own = callOption('claims', () => {
      const claims = this.#settings.claims?.(session) ?? {}
      return JSON.parse(JSON.stringify(claims)) as Record<string, unknown>
    })
    if (typeof own !== 'object' || own === null || Array.isArray(own))
      throw new TokenError('INVALID_CLAIMS', "the option 'claims' must return an object")
    const reserved = Object.keys(own).find((name) => RESERVED.has(name))
    if (reserved !== undefined)
      throw new TokenError('INVALID_CLAIMS', `the option 'claims' must not return the claim '${reserved}'`)
    return own
  }

  /**
   * Returns the claims of a token that was issued by one of the keys, for this audience, and has
   * not expired. They are frozen, because many requests may share them.
   *
   * @throws MALFORMED, INVALID or EXPIRED
   */
  async verify(
    token: unknown,
    { evenExpired = false }: { evenExpired?: boolean } = {},
  ): Promise<AccessClaims> {
    if (typeof token !== 'string' || token.length > MAX_LENGTH || !FORM.test(token))
      throw new TokenError('MALFORMED', 'this is not an access token')
    const ring = this.#ring ?? (await this.keys())
    const { issuer, audience, now } = this.#settings
    try {
      const { payload } = await jwtVerify(token, (header) => keyOf(ring, header), {
        algorithms: ring.algorithms,
        issuer,
        audience: audience as string[],
        typ: TYPE,
        requiredClaims: REQUIRED,
        clockTolerance: evenExpired ? Number.MAX_SAFE_INTEGER : TOLERANCE,
        currentDate: new Date(now()),
      })
      return toClaims(payload)
    } catch (error) {
      throw toTokenError(error)
    }
  }
}

/** Whether verified claims have expired at the time `now`, in epoch milliseconds. */
export const hasExpired = ({ exp }: AccessClaims, now: number): boolean =>
  exp + TOLERANCE <= Math.floor(now / 1000)

/** The key is found by `kid` alone, and no header chooses its algorithm (RFC 8725, 3.1, 3.10). */
function keyOf(ring: KeyRing, { kid, alg }: JWTHeaderParameters) {
  const key = ring.find(kid)
  if (key === undefined || key.alg !== alg)
    throw new TokenError('INVALID', 'none of the keys signed this access token')
  return key.verify
}

/** Checks the types that jose does not check. */
function toClaims(payload: JWTPayload): AccessClaims {
  const { sub, jti, client_id: client, sid, iat, gen, scope } = payload as Partial<AccessClaims>
  const isText = (value: unknown) => typeof value === 'string' && value !== ''
  const isRight =
    [sub, jti, client].every(isText) &&
    typeof sid === 'string' &&
    HANDLE.test(sid) &&
    typeof iat === 'number' &&
    (gen === undefined || Number.isSafeInteger(gen)) &&
    (scope === undefined || typeof scope === 'string')
  if (!isRight) throw new TokenError('INVALID', 'a claim of this access token has a wrong type')
  return deepFreeze(payload as AccessClaims)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const name in value) {
    const inner = value[name]
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  }
  return Object.freeze(value)
}

/** The errors of jose hold the claims, so they do not become causes. */
function toTokenError(error: unknown): TokenError {
  if (error instanceof TokenError) return error
  if (error instanceof errors.JWTExpired) return new TokenError('EXPIRED', 'this access token has expired')
  if (error instanceof errors.JWTClaimValidationFailed)
    return new TokenError('INVALID', `the claim '${error.claim}' of this access token is missing or wrong`)
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new TokenError('INVALID', 'the signature of this access token is wrong')
  return new TokenError('INVALID', 'this access token is not one that was issued here')
}

/** @throws INVALID_CLAIMS where a function of the application throws. */
function callOption<T>(name: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw new TokenError('INVALID_CLAIMS', `the option '${name}' failed; see cause`, error)
  }
}
