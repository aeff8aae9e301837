import type { SessionData } from 'express-session'
import { checkOptions, type OptionHints, type OptionRule, type OptionRules } from './check-options.ts'
import { type Driver, requireDriver } from './driver.ts'
import { json, type Serializer } from './encoding/codec.ts'
import { FORMATS, type Format, toFormatVersion } from './encoding/formats.ts'
import { isSealOptions, type SealOptions } from './encoding/seal.ts'
import { isLegacyOptions, type LegacyOptions } from './legacy.ts'
import { STORE_HINTS } from './option-hints.ts'
import { warnOfSeconds } from './short-durations.ts'

/**
 * The options of every store. All durations are milliseconds, as `cookie.maxAge` is. A wrong option
 * is a `TypeError` at construction that names the option and says what it takes.
 */
export interface StoreOptions {
  /**
   * How long a session lives without a request, where its cookie does not say (no `maxAge`, no
   * `expires`).
   *
   * @default 86_400_000 (1 day)
   */
  idleTimeout?: number
  /**
   * The longest that a session lives, from its creation. No touch, save or cookie extends it.
   * `false`: there is no bound. See OWASP ASVS 5.0, 7.3.
   *
   * @default false
   */
  absoluteTimeout?: number | false
  /**
   * A touch that would move the deadline by less than this is not sent, unless the session is about
   * to end or its cookie changed. `false`: every touch is sent.
   *
   * @default false
   */
  touchAfter?: number | false
  /**
   * How old the knowledge may be from which this process answers lookups, up to 1 day. What this
   * store itself does to a session counts at once, and what other processes do within this time.
   * `false` or 0: each lookup asks the database. See docs/guides/fewer-round-trips.md.
   *
   * @default 0
   */
  freshness?: number | false
  /**
   * How many bytes of sessions are remembered for `freshness`, in the text as stored. Those that
   * were not looked up for longest are forgotten first.
   *
   * @default 64_000_000
   */
  cacheBytes?: number
  /**
   * How long a destroyed session refuses late saves of plain objects and of new sessions. Choose it
   * longer than your longest request. `false` or 0: no tombstone is kept.
   *
   * @default 60_000
   */
  tombstoneTimeout?: number | false
  /**
   * How often expired rows are removed, give or take a quarter. `false` or 0: never; call `prune()`
   * yourself.
   *
   * @default 900_000 (15 minutes)
   */
  pruneInterval?: number | false
  /**
   * Every call ends within this time, with an answer or an error. Every other time limit follows
   * it.
   *
   * @default 5000
   */
  operationTimeout?: number
  /**
   * How many calls may wait before further ones fail with `OVERLOADED`. One session may use half of
   * it.
   *
   * @default 10_000
   */
  maxQueue?: number
  /**
   * The largest session, in bytes as stored. A larger one fails with `PAYLOAD_TOO_LARGE`.
   *
   * @default 16_000_000
   */
  maxPayload?: number
  /**
   * Stores the SHA-256 of each id instead of the id, so that a stolen dump holds no usable cookie.
   *
   * @default true
   */
  hashIds?: boolean
  /**
   * Seals each session with AES-256-GCM, bound to its row. The first key seals, every key opens,
   * and the next save seals with the first key.
   *
   * @default false
   */
  seal?: SealOptions | false
  /**
   * Turns sessions into text and back. `compressSessions()` of this package is a serializer that
   * compresses large sessions.
   *
   * @default JSON
   */
  serializer?: Serializer
  /**
   * The format in which sessions are stored: the newest one of this version of the packages, or the one
   * before it. Every older one is read, too. Set it to the newest once all processes that share the
   * sessions have this version: see docs/production/upgrading.md.
   *
   * @default the format before the newest; 1, as long as there is no other
   */
  formatVersion?: number
  /**
   * Returns the id of the user to whom a session belongs, or `undefined` or `null` for nobody.
   * `list({ user })`, `revokeUser` and `assignUsers` need it.
   */
  user?: (session: SessionData) => string | number | null | undefined
  /**
   * What a save does when another request saved the session meanwhile: merge both by top-level key,
   * overwrite, or fail with `CONFLICT`.
   *
   * @default 'merge'
   */
  onConflict?: 'merge' | 'overwrite' | 'error'
  /**
   * What a save of a session that has ended does: nothing, or fail with `GONE`. It never brings the
   * session back.
   *
   * @default 'ignore'
   */
  onGone?: 'ignore' | 'error'
  /**
   * Moves sessions in from another session store, each at its first request, so that nobody is
   * signed out. The readers are in `@session-stores/legacy`.
   */
  legacy?: LegacyOptions
  /**
   * The clock, in epoch milliseconds, for tests.
   *
   * @default Date.now
   */
  now?: () => number
}

/** The options after the checks and with the defaults. A duration that is off is 0. */
export type Settings = Required<
  Omit<
    StoreOptions,
    | 'seal'
    | 'user'
    | 'legacy'
    | 'absoluteTimeout'
    | 'touchAfter'
    | 'freshness'
    | 'tombstoneTimeout'
    | 'pruneInterval'
  >
> &
  Pick<StoreOptions, 'seal' | 'user' | 'legacy'> & {
    absoluteTimeout: number
    touchAfter: number
    freshness: number
    tombstoneTimeout: number
    pruneInterval: number
  }

/** Those of a store's options that other parts of the session layer have to follow. */
export type StoreSettings = Readonly<
  Pick<Settings, 'hashIds' | 'idleTimeout' | 'absoluteTimeout' | 'operationTimeout' | 'user' | 'now'>
>

/** The longest delay that `setTimeout` takes, in milliseconds. A longer one would fire at once. */
const MAX_TIMER = 2 ** 31 - 1

const isFunction = (value: unknown): boolean => typeof value === 'function'
const isBoolean = (value: unknown): boolean => typeof value === 'boolean'
const between = (min: number, max: number) => (value: unknown) =>
  typeof value === 'number' && value >= min && value <= max
const orOff = (check: (value: unknown) => boolean) => (value: unknown) =>
  value === false || value === 0 || check(value)
const oneOf =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value)
const hasFunctions =
  (...names: string[]) =>
  (value: unknown) =>
    names.every((name) => isFunction((value as Record<string, unknown> | null)?.[name]))

const milliseconds = 'a number of milliseconds'
const millisecondsOrFalse = `${milliseconds}, or false`
const MAX_DURATION = 8.64e15
const DAY = 86_400_000

const rules: Record<keyof StoreOptions, OptionRule> = {
  idleTimeout: [`${milliseconds}, at least 1`, between(1, MAX_DURATION)],
  absoluteTimeout: [millisecondsOrFalse, orOff(between(1, MAX_DURATION))],
  touchAfter: [millisecondsOrFalse, orOff(between(1, MAX_DURATION))],
  freshness: [
    `${milliseconds} from 1 to ${DAY} (1 day), or 0 to ask the database each time`,
    orOff(between(1, DAY)),
  ],
  cacheBytes: ['a number of bytes, at least 1', between(1, Number.MAX_SAFE_INTEGER)],
  tombstoneTimeout: [millisecondsOrFalse, orOff(between(1, MAX_DURATION))],
  pruneInterval: [`${milliseconds} from 1 to ${MAX_TIMER / 2}, or false`, orOff(between(1, MAX_TIMER / 2))],
  operationTimeout: [`${milliseconds} from 1 to ${MAX_TIMER / 2}`, between(1, MAX_TIMER / 2)],
  maxQueue: ['a number of calls, at least 1', between(1, Number.MAX_SAFE_INTEGER)],
  maxPayload: ['a number of bytes, at least 1', between(1, Number.MAX_SAFE_INTEGER)],
  hashIds: ['a boolean', isBoolean],
  seal: [
    '{ keys: [key, ...olderKeys] } with 32 random bytes each, as a Buffer, hex or base64url, or false; ' +
      "make one with require('node:crypto').randomBytes(32).toString('base64url')",
    (value) => value === false || isSealOptions(value),
  ],
  serializer: ['{ stringify(session), parse(text) }', hasFunctions('stringify', 'parse')],
  formatVersion: ['the number of a format, such as 1', between(1, Number.MAX_SAFE_INTEGER)],
  user: ['a function of the session that returns the id of its user', isFunction],
  onConflict: ["'merge', 'overwrite' or 'error'", oneOf('merge', 'overwrite', 'error')],
  onGone: ["'ignore' or 'error'", oneOf('ignore', 'error')],
  legacy: [
    "{ from, until, keep? }: from is a reader of '@session-stores/legacy', such as connectRedis({ client }); until is " +
      'the Date when the last session of the other store has ended; keep is a boolean',
    isLegacyOptions,
  ],
  now: ['a function that returns epoch milliseconds', isFunction],
}

/**
 * Checks the options of a driver and of its store together, and separates them. For authors of
 * drivers.
 *
 * @param hints what to write in place of names that the driver's options have in other stores.
 * @throws TypeError as `checkOptions` does.
 */
export function splitOptions<D extends object>(
  options: D & StoreOptions,
  own: Readonly<Record<keyof D & string, OptionRule>>,
  hints?: OptionHints,
): [driver: D, store: StoreOptions] {
  checkOptions(options, { ...own, ...rules } as OptionRules, { hints: { ...STORE_HINTS, ...hints } })
  const [driver, store]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}]
  for (const [name, value] of Object.entries(options))
    (Object.hasOwn(own, name) ? driver : store)[name] = value
  return [driver as D, store]
}

/**
 * @throws TypeError as `checkOptions` does, where there is no driver, and where the option `legacy`
 * reads the rows of the store itself, or `formatVersion` is not one of the last two formats.
 */
export function toSettings(
  options: StoreOptions,
  driver: Driver,
  formats: readonly Format[] = FORMATS,
): Settings {
  requireDriver(driver)
  checkOptions(options, rules, { hints: STORE_HINTS })
  warnOfSeconds(options)
  const refusal = options.legacy?.from.refuse(driver)
  if (refusal !== undefined) throw new TypeError(refusal)
  const { now } = options
  return {
    idleTimeout: duration(options.idleTimeout, 86_400_000),
    absoluteTimeout: duration(options.absoluteTimeout, 0),
    touchAfter: duration(options.touchAfter, 0),
    freshness: duration(options.freshness, 0),
    cacheBytes: Math.floor(options.cacheBytes ?? 64_000_000),
    tombstoneTimeout: duration(options.tombstoneTimeout, 60_000),
    pruneInterval: duration(options.pruneInterval, 900_000),
    operationTimeout: options.operationTimeout ?? 5000,
    maxQueue: options.maxQueue ?? 10_000,
    maxPayload: options.maxPayload ?? 16_000_000,
    hashIds: options.hashIds ?? true,
    seal: options.seal,
    serializer: options.serializer ?? json,
    formatVersion: toFormatVersion(options.formatVersion, formats.length),
    user: options.user,
    legacy: options.legacy,
    onConflict: options.onConflict ?? 'merge',
    onGone: options.onGone ?? 'ignore',
    now: now ? () => checkTime(now()) : () => Date.now(),
  }
}

/** Returns the part of the settings that is public. */
export function toStoreSettings(settings: Settings): StoreSettings {
  const { hashIds, idleTimeout, absoluteTimeout, operationTimeout, user, now } = settings
  return Object.freeze({ hashIds, idleTimeout, absoluteTimeout, operationTimeout, user, now })
}

/** @throws TypeError where the option `now` returns no time. */
function checkTime(time: number): number {
  if (!Number.isFinite(time)) throw new TypeError("the option 'now' must return epoch milliseconds")
  return Math.floor(time)
}

/** Returns whole milliseconds, as rows hold them. A duration that is off is 0. */
const duration = (value: number | false | undefined, preset: number): number =>
  value === false ? 0 : Math.ceil(value ?? preset)
