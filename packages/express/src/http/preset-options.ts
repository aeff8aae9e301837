import { checkOptions, type OptionHints, type OptionRule, type SessionStore } from '@session-stores/core'
import type { Framework } from './framework.ts'

/** The options of `sessions`. A weak or unknown option is a `TypeError` that says what to write. */
export interface SessionsOptions {
  /** Where the sessions are stored. */
  store: SessionStore
  /**
   * Signs the cookies: at least 32 random characters. With several secrets the first one signs, and
   * all are accepted.
   */
  secret: string | readonly string[]
  /**
   * The name of the cookie. It begins with `__Host-`, so that neither another host of the domain
   * nor plain HTTP can set the cookie (RFC 6265bis, 4.1.3). In development the prefix is dropped.
   *
   * @default '__Host-sid'
   */
  name?: string
  /**
   * How long the browser keeps the cookie, in milliseconds, at most 400 days. Without it, the cookie
   * ends with the browser, and the session after the `idleTimeout` of the store.
   */
  maxAge?: number
  /**
   * Whether other sites' links open pages as the user: `'lax'` or `'strict'` (never). `'none'` also
   * needs `crossSite: true`.
   *
   * @default 'lax'
   */
  sameSite?: 'lax' | 'strict' | 'none'
  /**
   * Allows `sameSite: 'none'`: pages of other sites then send the cookie, too.
   *
   * @default false
   */
  crossSite?: boolean
  /**
   * Names of older cookies that are accepted and replaced, such as `['connect.sid']`, while the
   * name changes. The `secret` must be the same.
   *
   * @default []
   */
  readAlso?: readonly string[]
  /**
   * For http on localhost: the cookie gets neither `Secure` nor the prefix.
   *
   * @default false
   */
  development?: boolean
}

/** What messages say of the framework. */
export type Advice = Pick<Framework<never>, 'trustProxy' | 'signOut'>

/** The options after the checks and with the defaults. */
export interface PresetSettings extends Required<Omit<SessionsOptions, 'secret' | 'maxAge' | 'crossSite'>> {
  secret: string[]
  maxAge: number | undefined
}

const PREFIX = '__Host-'
const MAX_AGE = 400 * 86_400_000
const MIN_SECRET = 32

const MAKE_SECRET = "make one with require('node:crypto').randomBytes(32).toString('base64url')"

const isBoolean = (value: unknown): boolean => typeof value === 'boolean'
const hasFunctions = (value: unknown, ...names: string[]): boolean =>
  names.every((name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function')
const isCookieName = (value: unknown): boolean =>
  typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]{1,64}$/.test(value)
/** A random text of 32 characters has fewer different characters than this about once in 10^9. */
const MIN_DIFFERENT = 10
const isSecret = (value: unknown): boolean =>
  typeof value === 'string' &&
  Buffer.byteLength(value) >= MIN_SECRET &&
  new Set(value).size >= MIN_DIFFERENT &&
  !/keyboard cat|change.?(me|it)|your.?secret|long random/i.test(value)

const rules: Record<keyof SessionsOptions, OptionRule> = {
  store: [
    'a store of this project, such as new RedisStore({ … }); the MemoryStore of express-session loses all ' +
      'sessions at a restart, so tests take new SessionStore(memoryDriver())',
    (value) =>
      hasFunctions(value, 'get', 'set', 'touch', 'revokeUser', 'update') && 'settings' in (value as object),
  ],
  secret: [
    `at least ${MIN_SECRET} random characters, or an array of such secrets with the newest first; ${MAKE_SECRET}`,
    (value) => (Array.isArray(value) ? value.length > 0 && value.every(isSecret) : isSecret(value)),
  ],
  name: [
    "the name of a cookie that begins with '__Host-', such as '__Host-sid'",
    (value) => isCookieName(value) && (value as string).startsWith(PREFIX) && value !== PREFIX,
  ],
  maxAge: [
    'a number of milliseconds from 1000 to 34560000000 (400 days); for a cookie that ends with the browser, leave it out',
    (value) => typeof value === 'number' && value >= 1000 && value <= MAX_AGE,
  ],
  sameSite: [
    "'lax' or 'strict', or 'none' together with crossSite: true",
    (value) => value === 'lax' || value === 'strict' || value === 'none',
  ],
  crossSite: ['a boolean', isBoolean],
  readAlso: [
    "an array of names of older cookies, such as ['connect.sid']",
    (value) => Array.isArray(value) && value.every(isCookieName),
  ],
  development: ['a boolean, such as process.env.NODE_ENV !== "production"', isBoolean],
}

/** Options of express-session that the preset decides, and why; and other names of its own. */
const HINTS: OptionHints = {
  cookie: "the preset sets the cookie; write 'maxAge' or 'sameSite' as options of their own.",
  secure: "the cookie is always Secure; for http on localhost write 'development: true'.",
  httpOnly: 'the cookie is always HttpOnly, so that no script can read it.',
  domain: 'the cookie never has a Domain, so that no other host gets it.',
  path: "the cookie always has the path '/', as its prefix asks for.",
  expires: "write 'maxAge', in milliseconds.",
  ttl: "write 'maxAge' for the cookie, and 'idleTimeout' for the store.",
  idleTimeout: 'it is an option of the store.',
  absoluteTimeout: 'it is an option of the store.',
  resave: 'it is always false: a save writes what changed, and a touch moves the deadline.',
  saveUninitialized: 'it is always false: visitors without data get neither a row nor a cookie.',
  rolling: 'it is always false: a late answer must not set the cookie of a session that was signed out.',
  genid: 'ids always have 144 random bits.',
  key: "write 'name'.",
  keys: "write 'secret', which also takes an array of secrets.",
  secrets: "write 'secret', which also takes an array of secrets.",
}

/** @throws TypeError for a weak, wrong, unknown or missing option. */
export function toSettings(options: SessionsOptions, { trustProxy, signOut }: Advice): PresetSettings {
  const hints = {
    ...HINTS,
    proxy: `write ${trustProxy} for a proxy in front of the application.`,
    unset: `sign out with ${signOut}.`,
  }
  checkOptions(options, rules, { required: ['store', 'secret'], hints })
  const { store, secret, name = `${PREFIX}sid`, sameSite = 'lax', crossSite = false } = options
  const { readAlso = [], development = false } = options
  const secrets = typeof secret === 'string' ? [secret] : [...secret]
  if (new Set(secrets).size < secrets.length) throw new TypeError("option 'secret' has the same secret twice")
  if (sameSite === 'none' && !crossSite)
    throw new TypeError(
      "'sameSite: \"none\"' lets every site send the cookie: write 'lax', or add 'crossSite: true'",
    )
  if (crossSite && sameSite !== 'none') throw new TypeError("'crossSite: true' needs 'sameSite: \"none\"'")
  if (crossSite && development) throw new TypeError("'crossSite' needs https, so leave 'development' out")
  if (development && process.env.NODE_ENV === 'production')
    throw new TypeError(
      "'development: true' is refused where NODE_ENV is 'production': cookies would not be Secure",
    )
  const ownName = development ? name.slice(PREFIX.length) : name
  if (readAlso.includes(ownName))
    throw new TypeError("'readAlso' takes names of older cookies, and not 'name' itself")
  return { store, secret: secrets, name: ownName, maxAge: options.maxAge, sameSite, readAlso, development }
}
