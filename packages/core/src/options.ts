import type { KeyObject } from 'node:crypto'
import type { SessionData } from 'express-session'
import type { Awaitable } from './driver.ts'
import { json } from './encoding/codec.ts'
import { isPredictable, keyBytes } from './encoding/seal.ts'

/**
 * What every store takes. All durations are milliseconds, as `cookie.maxAge` is.
 * A wrong option is a `TypeError` at construction that names it and says what it takes.
 */
export interface StoreOptions {
  /** How long a session lives without a request, where the cookie itself does not say (no `maxAge`, no `expires`). Default 1 day. */
  idleTimeout?: number
  /** How long a session lives at most, from its creation; no touch, save or cookie passes it. Default `false`: no bound. See OWASP ASVS 5.0, 7.3. */
  absoluteTimeout?: number | false
  /** A touch that would move the deadline by less than this is not sent, unless the session is about to lapse. Default `false`: every touch is sent. */
  touchAfter?: number | false
  /** How long a destroyed session refuses late saves of plain objects and of new sessions; longer than your longest request. Default 60,000. `false` or 0: no tombstone is kept. */
  tombstoneTimeout?: number | false
  /** How often expired rows are removed, give or take a quarter. Default 15 minutes; `false` or 0: never, call `prune()` yourself. */
  pruneInterval?: number | false
  /** Every call ends within this, with an answer or an error; every other time limit follows it. Default 5,000. */
  operationTimeout?: number
  /** How many calls may wait before further ones fail with `OVERLOADED`; half as many for one session. Default 10,000. */
  maxQueue?: number
  /** The largest session, in bytes as stored. Default 16,000,000. */
  maxPayload?: number
  /** Stores SHA-256 of the id in place of the id, so that a stolen dump holds no usable cookie. Default `true`. */
  hashIds?: boolean
  /** Seals each session with AES-256-GCM, bound to its row. The first key seals, every key opens; the next save seals anew. Default `false`. */
  seal?: SealOptions | false
  /** Turns sessions into text and back; see `Serializer`. Default JSON. */
  serializer?: Serializer
  /** Who a session belongs to, for `list({ user })` and `revokeUser`; `undefined` or `null`: nobody. Default: nobody. */
  user?: (session: SessionData) => string | number | null | undefined
  /** What a save does when somebody else saved meanwhile: merge both by top-level key (default), overwrite, or fail with `CONFLICT`. */
  onConflict?: 'merge' | 'overwrite' | 'error'
  /** What a save of a session that is gone does: nothing (default), or fail with `GONE`. Never does it bring the session back. */
  onGone?: 'ignore' | 'error'
  /** The clock, in epoch milliseconds. Default `Date.now`; for tests. */
  now?: () => number
}

export interface SealOptions {
  /** 32 random bytes each (no text, no pattern), or as 64 hex digits or base64(url), or a secret `KeyObject`. */
  keys: readonly (Uint8Array | string | KeyObject)[]
  /** Reads rows that are not sealed yet too, while an existing store is being moved to sealing. Default `false`: `NOT_SEALED`. */
  acceptPlain?: boolean
}

/** Each method may return a promise, which must settle within `operationTimeout`. */
export interface Serializer {
  /** Gets plain data, whose cookie is plain, too. What it returns is parsed once before it is stored. */
  stringify(session: SessionData): Awaitable<string>
  parse(text: string): Awaitable<SessionData>
}

/** The options after checks and defaults; what is off is 0. */
export type Settings = Required<
  Omit<
    StoreOptions,
    'seal' | 'user' | 'absoluteTimeout' | 'touchAfter' | 'tombstoneTimeout' | 'pruneInterval'
  >
> &
  Pick<StoreOptions, 'seal' | 'user'> & {
    absoluteTimeout: number
    touchAfter: number
    tombstoneTimeout: number
    pruneInterval: number
  }

/** The longest that `setTimeout` waits; a longer one would fire at once. */
const MAX_TIMER = 2 ** 31 - 1

/** What an option takes, in words, and the check of it. */
export type OptionRule = readonly [takes: string, check: (value: unknown) => boolean]

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

const rules: Record<keyof StoreOptions, OptionRule> = {
  idleTimeout: [`${milliseconds}, at least 1`, between(1, MAX_DURATION)],
  absoluteTimeout: [millisecondsOrFalse, orOff(between(1, MAX_DURATION))],
  touchAfter: [millisecondsOrFalse, orOff(between(1, MAX_DURATION))],
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
  user: ['a function of the session that returns the id of its user', isFunction],
  onConflict: ["'merge', 'overwrite' or 'error'", oneOf('merge', 'overwrite', 'error')],
  onGone: ["'ignore' or 'error'", oneOf('ignore', 'error')],
  now: ['a function that returns epoch milliseconds', isFunction],
}

function isSealOptions(value: unknown): boolean {
  const { keys, acceptPlain = false } = (value ?? {}) as Partial<SealOptions>
  return Array.isArray(keys) && keys.length > 0 && keys.every(isSealKey) && isBoolean(acceptPlain)
}

function isSealKey(key: unknown): boolean {
  const bytes = keyBytes(key)
  return bytes !== undefined && !isPredictable(bytes)
}

/**
 * Throws a `TypeError` that names the first option that is unknown or wrong, and says what it takes.
 * An option that is `undefined` counts as left out.
 */
export function checkOptions(options: object, known: Readonly<Record<string, OptionRule>>): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('the options must be an object')
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name))
      throw new TypeError(`unknown option '${name}'; the options are ${Object.keys(known).join(', ')}`)
    const [takes, check] = known[name]!
    if (value !== undefined && !check(value)) throw new TypeError(`option '${name}' takes ${takes}`)
  }
}

/** Checks a driver's options together with the store's, and tells them apart: `[driver's, store's]`. Throws as `checkOptions`. */
export function splitOptions<D extends object>(
  options: D & StoreOptions,
  own: Readonly<Record<keyof D & string, OptionRule>>,
): [driver: D, store: StoreOptions] {
  checkOptions(options, { ...own, ...rules })
  const [mine, others]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}]
  for (const [name, value] of Object.entries(options))
    (Object.hasOwn(own, name) ? mine : others)[name] = value
  return [mine as D, others]
}

export function settings(options: StoreOptions): Settings {
  checkOptions(options, rules)
  const { now } = options
  return {
    idleTimeout: duration(options.idleTimeout, 86_400_000),
    absoluteTimeout: duration(options.absoluteTimeout, 0),
    touchAfter: duration(options.touchAfter, 0),
    tombstoneTimeout: duration(options.tombstoneTimeout, 60_000),
    pruneInterval: duration(options.pruneInterval, 900_000),
    operationTimeout: options.operationTimeout ?? 5000,
    maxQueue: options.maxQueue ?? 10_000,
    maxPayload: options.maxPayload ?? 16_000_000,
    hashIds: options.hashIds ?? true,
    seal: options.seal,
    serializer: options.serializer ?? json,
    user: options.user,
    onConflict: options.onConflict ?? 'merge',
    onGone: options.onGone ?? 'ignore',
    now: now ? () => checkedTime(now()) : () => Date.now(),
  }
}

/** Throws a `TypeError` where the option `now` gives no time. */
function checkedTime(time: number): number {
  if (!Number.isFinite(time)) throw new TypeError("the option 'now' must return epoch milliseconds")
  return Math.floor(time)
}

/** Whole milliseconds, as rows have them; 0: off. */
const duration = (value: number | false | undefined, preset: number): number =>
  value === false ? 0 : Math.ceil(value ?? preset)
