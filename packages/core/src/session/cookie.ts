import { types } from 'node:util'
import type { SessionData } from 'express-session'

/**
 * The largest time that a `Date` can hold (ECMA-262, 21.4.1.1): 13 September 275760. Epoch
 * milliseconds.
 */
export const MAX_TIME = 8.64e15

/**
 * `Session.touch()` reads the clock twice, so `originalMaxAge` drifts by a millisecond now and
 * then, and by more if the process pauses in between. A difference of this many milliseconds is no
 * change of the setting.
 */
const DRIFT = 10

/** The settings of a cookie, and its deadline. */
export class CookieSettings {
  /**
   * Epoch milliseconds, or `undefined` for a cookie without a deadline. The deadline moves with
   * every request, so it is not a setting.
   */
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
    // express-session fills in `path` and `httpOnly`, which must not count as a change. Its types
    // lack `priority` and `partitioned`.
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

export function hasSameSettings(a: CookieSettings, b: CookieSettings): boolean {
  return (
    (a.originalMaxAge === b.originalMaxAge ||
      // `null` means no maximum age, so it must not be compared as the number 0.
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
 * Whether the application decided the deadline anew: it changed a setting, set an earlier deadline,
 * or set one where there was none. A deadline that moves on with a request, or stays as it was
 * read, decides nothing.
 */
export const decidesDeadline = (before: CookieSettings, after: CookieSettings): boolean =>
  !hasSameSettings(before, after) ||
  (after.expires !== undefined && (before.expires === undefined || after.expires < before.expires))

/**
 * Whether the cookie has a deadline. A cookie without one lasts until the browser is closed;
 * express-session takes `false` for that, too. An invalid `Date` counts as none: JSON stores it as
 * `null`.
 */
export const hasExpiry = ({ expires }: { expires?: unknown }): boolean =>
  expires != null && expires !== false && !isInvalidDate(expires)

export const isInvalidDate = (value: unknown): boolean => types.isDate(value) && Number.isNaN(value.getTime())

/** Returns epoch milliseconds, or `undefined` for a value that is no time. */
export function toTime(expires: unknown): number | undefined {
  // Jest and node:vm have a Date class of their own.
  const at = types.isDate(expires)
    ? expires.getTime()
    : typeof expires === 'string'
      ? Date.parse(expires)
      : expires
  return typeof at === 'number' && Math.abs(at) <= MAX_TIME ? at : undefined
}
