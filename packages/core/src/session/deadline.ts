import { types } from 'node:util'
import type { SessionData } from 'express-session'
import type { Row } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'
import type { Settings } from '../options.ts'

/** The largest time that a `Date` can hold (ECMA-262, 21.4.1.1): 13 September 275760. */
const MAX_TIME = 8.64e15

/** Touches that come within this, in milliseconds, share a deadline, so that drivers can group them. */
const TOUCH_STEP = 100

/** `Session.touch()` reads the clock twice: `originalMaxAge` drifts by a millisecond now and then, longer if the process pauses. */
const DRIFT = 10

/** What of a cookie an application sets, and when it ends. */
export class CookieSettings {
  /** Epoch milliseconds; `undefined` for a cookie without a deadline. It moves with every request and is no setting. */
  expires: number | undefined
  originalMaxAge: unknown
  path: unknown
  httpOnly: unknown
  secure: unknown
  sameSite: unknown
  domain: unknown
  priority: unknown
  partitioned: unknown

  constructor(cookie: SessionData['cookie']) {
    // express-session's types lack the newer two. What it fills in is no change: `path` and `httpOnly`.
    const {
      expires,
      originalMaxAge,
      path = '/',
      httpOnly = true,
      secure,
      sameSite,
      domain,
      priority,
      partitioned,
    } = cookie as unknown as CookieSettings
    this.expires = expires === undefined ? expires : toTime(expires)
    this.originalMaxAge = originalMaxAge
    this.path = path
    this.httpOnly = httpOnly
    this.secure = secure
    this.sameSite = sameSite
    this.domain = domain
    this.priority = priority
    this.partitioned = partitioned
  }
}

export function sameSettings(a: CookieSettings, b: CookieSettings): boolean {
  return (
    (a.originalMaxAge === b.originalMaxAge ||
      // `null` is no time at all, and not the number 0.
      (typeof a.originalMaxAge === 'number' &&
        typeof b.originalMaxAge === 'number' &&
        Math.abs(a.originalMaxAge - b.originalMaxAge) <= DRIFT)) &&
    a.path === b.path &&
    a.httpOnly === b.httpOnly &&
    a.secure === b.secure &&
    a.sameSite === b.sameSite &&
    a.domain === b.domain &&
    a.priority === b.priority &&
    a.partitioned === b.partitioned
  )
}

/**
 * Whether the application decided the deadline anew: it changed a setting, or set an end where there was none or
 * a later one. That the end moves
 * on with each request, or is as it was read, decides nothing.
 */
export const decidesDeadline = (before: CookieSettings, after: CookieSettings): boolean =>
  !sameSettings(before, after) ||
  (after.expires !== undefined && (before.expires === undefined || after.expires < before.expires))

/**
 * When the session ends if nobody touches it again, in epoch milliseconds: `cookie.expires`, else `maxAge`,
 * else `idleTimeout` from now. Throws `INVALID_SESSION`.
 */
export function idleDeadline(cookie: SessionData['cookie'], now: number, idleTimeout: number): number {
  if (hasExpiry(cookie)) return time(cookie.expires)
  // express-session makes the one of the other, and no number of a Date without a time.
  const isInvalid = isInvalidDate(cookie.expires)
  const maxAge = isInvalid ? cookie.originalMaxAge : (cookie.maxAge ?? cookie.originalMaxAge)
  if (typeof maxAge !== 'number' || (isInvalid && Number.isNaN(maxAge))) return now + idleTimeout
  if (Number.isNaN(maxAge)) throw invalid('cookie.maxAge must be a number of milliseconds')
  return clamp(now + maxAge)
}

/**
 * A cookie without one lasts until the browser is closed; express-session takes `false` for that, too. A Date without
 * a time is none: the middleware fails to send its cookie, and JSON stores it as `null`.
 */
export const hasExpiry = ({ expires }: { expires?: unknown }): boolean =>
  expires != null && expires !== false && !isInvalidDate(expires)

const isInvalidDate = (value: unknown): boolean => types.isDate(value) && Number.isNaN(value.getTime())

/** A touch's deadline, on the grid that touches share; one in the past stays what it is. */
export const roundTouch = (deadline: number, now: number): number =>
  deadline > now ? Math.min(Math.ceil(deadline / TOUCH_STEP) * TOUCH_STEP, MAX_TIME) : deadline

/** No touch, save or cookie passes the absolute end. `absoluteTimeout` 0: there is none. */
export const withinAbsolute = (deadline: number, createdAt: number, absoluteTimeout: number): number =>
  absoluteTimeout > 0 ? Math.min(deadline, createdAt + absoluteTimeout) : deadline

/** Whether the row is a session by the application's clock, whatever the database still holds. */
export const isLive = ({ data, expiresAt, createdAt }: Row, { absoluteTimeout, now }: Settings): boolean =>
  data !== null && withinAbsolute(expiresAt, createdAt, absoluteTimeout) > now()

/** Epoch milliseconds, or `undefined` for what is no time. */
function toTime(expires: unknown): number | undefined {
  // Jest and node:vm have a Date of their own.
  const at = types.isDate(expires)
    ? expires.getTime()
    : typeof expires === 'string'
      ? Date.parse(expires)
      : expires
  return typeof at === 'number' && Math.abs(at) <= MAX_TIME ? at : undefined
}

function time(expires: unknown): number {
  const at = toTime(expires)
  if (at === undefined)
    throw invalid('cookie.expires must be a Date, an ISO 8601 string or epoch milliseconds')
  return clamp(at)
}

const clamp = (at: number): number => Math.min(Math.max(0, Math.floor(at)), MAX_TIME)

const invalid = (message: string): SessionStoreError => new SessionStoreError('INVALID_SESSION', message)
