import type { KeyObject } from 'node:crypto'
import {
  checkOptions,
  meant,
  type OptionHints,
  type OptionRule,
  type SessionStore,
  secretKeyOf,
} from '@session-stores/core'
import type { SessionData } from 'express-session'
import { type KeyInput, publicOf, readKey } from './keys.ts'

/**
 * The options of `Tokens`. All durations are milliseconds. A wrong option is a `TypeError` at
 * construction that names the option and says what it takes.
 */
export interface TokensOptions {
  /** The store of the sessions. It needs the option `user`, and `hashIds: true` (the default). */
  store: SessionStore
  /** Who issues the tokens (`iss`), such as `https://example.com`. */
  issuer: string
  /** For whom the tokens are (`aud`): your API, or several of them. */
  audience: string | readonly string[]
  /**
   * 32 random bytes, newest first where there are several: the first one makes refresh tokens, and
   * every one reads them. Without `keys` it also signs access tokens, by HS256.
   */
  secret: Uint8Array | string | KeyObject | readonly (Uint8Array | string | KeyObject)[]
  /**
   * Keys for access tokens that other services verify, too: ES256 (P-256) or Ed25519, as
   * `generateKey` returns them. The first one signs, and all are published by `jwks()`.
   *
   * @default none: access tokens are signed by HS256, and only this application can verify them
   */
  keys?: readonly KeyInput[]
  /**
   * How long an access token is valid, less a random part of up to 5%.
   *
   * @default 300_000 (5 minutes)
   */
  lifetime?: number
  /**
   * Allows a `lifetime` of more than 15 minutes.
   *
   * @default false
   */
  longLived?: boolean
  /**
   * How old the knowledge may be that the session of an access token is still there. 0: each
   * verification asks the store. `false`: none does, and a token stays valid until it expires.
   *
   * @default 1000
   */
  freshness?: number | false
  /**
   * Accepts a token while the store does not answer, if its session was once seen alive by this
   * process. Otherwise such a verification fails with the error of the store.
   *
   * @default false
   */
  stale?: boolean
  /**
   * How long an answer with a refresh token may take to reach a client, up to 5 minutes. 0: a
   * refresh token works once, and a client whose answer was lost has to sign in again.
   *
   * @default 30_000
   */
  grace?: number
  /**
   * How long a refresh token lives without being used.
   *
   * @default 2_592_000_000 (30 days)
   */
  familyIdle?: number
  /**
   * How long a sign-in by refresh tokens lives at most, whatever its use.
   *
   * @default 7_776_000_000 (90 days)
   */
  familyLifetime?: number
  /** Returns claims of your own for the access token of a session. They are not secret. */
  claims?: (session: SessionData) => Readonly<Record<string, unknown>>
  /** Returns the scopes for the access token of a session. */
  scopes?: (session: SessionData) => readonly string[]
  /**
   * How many verified tokens are remembered. What is known of their sessions counts for the option
   * `cacheBytes` of the store.
   *
   * @default 10_000
   */
  cacheSize?: number
  /**
   * The clock, in epoch milliseconds, for tests.
   *
   * @default the clock of the store
   */
  now?: () => number
}

/** The options after the checks and with the defaults. */
export interface TokenSettings
  extends Required<Omit<TokensOptions, 'audience' | 'secret' | 'keys' | 'longLived' | 'claims' | 'scopes'>>,
    Pick<TokensOptions, 'claims' | 'scopes'> {
  audience: readonly string[]
  secrets: readonly Buffer[]
  keys: readonly KeyObject[] | undefined
}

const DAY = 86_400_000
const MAX_LIFETIME = 900_000

const isFunction = (value: unknown): boolean => typeof value === 'function'
const isBoolean = (value: unknown): boolean => typeof value === 'boolean'
const between = (min: number, max: number) => (value: unknown) =>
  typeof value === 'number' && value >= min && value <= max
// Control characters and quotes could leave the header or the log line that they are written to.
const isName = (value: unknown): boolean => typeof value === 'string' && /^[!#-[\]-~]{1,256}$/.test(value)
const toList = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T])
const isListOf = (check: (value: unknown) => boolean) => (value: unknown) => {
  const list = toList(value)
  return list.length > 0 && list.every(check)
}
/** Whether the value may be the option `freshness`, or what `verify` takes in its place. */
export const isFreshness = (value: unknown): boolean => value === false || between(0, DAY)(value)
const hasMethods = (value: unknown, ...names: string[]): boolean =>
  names.every((name) => isFunction((value as Record<string, unknown> | null | undefined)?.[name]))

const rules: Record<keyof TokensOptions, OptionRule> = {
  store: [
    'a store of this project, such as new RedisStore({ … })',
    (value) =>
      hasMethods(value, 'consult', 'peek', 'recall', 'update', 'revoke') && 'settings' in (value as object),
  ],
  issuer: ["the name of who issues the tokens, such as 'https://example.com'", isName],
  audience: ["the name of your API, such as 'https://api.example.com', or several of them", isListOf(isName)],
  secret: [
    '32 random bytes, as a Buffer, hex or base64url, or an array of them with the newest first; ' +
      "make one with require('node:crypto').randomBytes(32).toString('base64url')",
    isListOf((value) => secretKeyOf(value) !== undefined),
  ],
  keys: [
    'an array of ES256 (P-256) or Ed25519 keys, each as a JWK, PEM or KeyObject; make one with generateKey()',
    (value) => Array.isArray(value) && value.length > 0 && value.every((key) => readKey(key) !== undefined),
  ],
  lifetime: ['a number of milliseconds, at least 1000', between(1000, 365 * DAY)],
  longLived: ['a boolean', isBoolean],
  freshness: [
    'a number of milliseconds, 0 to ask the store each time, or false to never ask it',
    isFreshness,
  ],
  stale: ['a boolean', isBoolean],
  grace: ['a number of milliseconds up to 300000 (5 minutes), or 0', between(0, 300_000)],
  familyIdle: ['a number of milliseconds, at least 1000', between(1000, 8.64e15)],
  familyLifetime: ['a number of milliseconds, at least 1000', between(1000, 8.64e15)],
  claims: ['a function of the session that returns an object of claims', isFunction],
  scopes: ['a function of the session that returns an array of scopes', isFunction],
  cacheSize: [
    'a number of tokens, at least 1',
    (value) => Number.isSafeInteger(value) && (value as number) > 0,
  ],
  now: ['a function that returns epoch milliseconds', isFunction],
}

const LIFETIME = meant('lifetime', 'milliseconds, of an access token')
const KEYS = meant('keys', '[key], as generateKey() makes them')

/** What to write in place of options of other packages for tokens. */
const HINTS: OptionHints = {
  expiresIn: LIFETIME,
  expires: LIFETIME,
  ttl: LIFETIME,
  maxAge: LIFETIME,
  accessTokenLifetime: LIFETIME,
  refreshTokenLifetime: meant('familyLifetime', 'milliseconds'),
  refreshExpiresIn: meant('familyLifetime', 'milliseconds'),
  idleTimeout: meant('familyIdle', 'milliseconds'),
  absoluteTimeout: meant('familyLifetime', 'milliseconds'),
  iss: meant('issuer'),
  aud: meant('audience'),
  secretOrPrivateKey: `${meant('secret')} Keys that others verify with are the option 'keys'.`,
  jwtSecret: meant('secret'),
  key: KEYS,
  privateKey: KEYS,
  publicKey: KEYS,
  algorithm: `leave it out: the option 'keys' decides it.`,
  algorithms: `leave it out: the option 'keys' decides it.`,
  scope: meant('scopes', 'a function of the session'),
}

/** @throws TypeError for a wrong option. */
export function toSettings(options: TokensOptions): TokenSettings {
  checkOptions(options, rules, { required: ['store', 'issuer', 'audience', 'secret'], hints: HINTS })
  const { store, lifetime = 300_000, longLived = false } = options
  const { familyIdle = 30 * DAY, familyLifetime = 90 * DAY } = options
  if (store.settings.user === undefined)
    throw new TypeError("tokens need a store with the option 'user', which says whose session it is")
  if (!store.settings.hashIds)
    throw new TypeError("tokens name sessions by their hashed ids: remove 'hashIds: false' from the store")
  if (lifetime > MAX_LIFETIME && !longLived)
    throw new TypeError(
      "a 'lifetime' of more than 900000 (15 minutes) is refused unless 'longLived: true' says that you mean it; " +
        'clients get a new token without asking the user',
    )
  if (familyIdle > familyLifetime)
    throw new TypeError("'familyIdle' must not be longer than 'familyLifetime'")
  return {
    store,
    issuer: options.issuer,
    audience: toList<string>(options.audience),
    secrets: toSecrets(options.secret),
    keys: options.keys && toKeys(options.keys),
    lifetime,
    freshness: options.freshness ?? 1000,
    stale: options.stale ?? false,
    grace: options.grace ?? 30_000,
    familyIdle,
    familyLifetime,
    claims: options.claims,
    scopes: options.scopes,
    cacheSize: options.cacheSize ?? 10_000,
    now: options.now ?? store.settings.now,
  }
}

function toSecrets(secret: TokensOptions['secret']): Buffer[] {
  const secrets = toList<unknown>(secret).map((value) => secretKeyOf(value)!)
  if (secrets.some((value, i) => secrets.slice(0, i).some((other) => other.equals(value))))
    throw new TypeError("option 'secret' has the same secret twice")
  return secrets
}

function toKeys(inputs: readonly KeyInput[]): KeyObject[] {
  const keys = inputs.map((input) => readKey(input)!)
  if (keys[0]!.type !== 'private')
    throw new TypeError(
      "the first one of 'keys' signs, so it must be a private key; make one with generateKey()",
    )
  const known = keys.map(publicOf)
  if (known.some((key, i) => known.slice(0, i).some((other) => other.equals(key))))
    throw new TypeError("option 'keys' has the same key twice, and both would have the same 'kid'")
  return keys
}
