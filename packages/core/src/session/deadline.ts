import type { SessionData } from 'express-session'
import type { Row } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { hasExpiry, isInvalidDate, MAX_TIME, toTime } from './cookie.ts'

/** Touches within this many milliseconds share a deadline, so that drivers can group them. */
const TOUCH_STEP = 100

/**
 * Returns when the session ends if no request touches it again, in epoch milliseconds:
 * `cookie.expires`, else `cookie.maxAge` from now, else `idleTimeout` from now.
 *
 * @throws INVALID_SESSION
 */
export function idleDeadline(cookie: SessionData['cookie'], now: number, idleTimeout: number): number {
  if (hasExpiry(cookie)) return toDeadline(cookie.expires)
  // express-session computes `maxAge` from `expires`, which gives no number for an invalid Date.
  const isInvalid = isInvalidDate(cookie.expires)
  const maxAge = isInvalid ? cookie.originalMaxAge : (cookie.maxAge ?? cookie.originalMaxAge)
  if (typeof maxAge !== 'number' || (isInvalid && Number.isNaN(maxAge))) return now + idleTimeout
  if (Number.isNaN(maxAge)) throw invalidSession('cookie.maxAge must be a number of milliseconds')
  return clamp(now + maxAge)
}

/**
 * Rounds a touch's deadline up to the grid that touches share. A deadline in the past stays as it
 * is.
 */
export const roundTouch = (deadline: number, now: number): number =>
  deadline > now ? Math.min(Math.ceil(deadline / TOUCH_STEP) * TOUCH_STEP, MAX_TIME) : deadline

/**
 * Returns the deadline, or the absolute end of the session where that comes first. An
 * `absoluteTimeout` of 0 means that there is no absolute end.
 */
export const withinAbsolute = (deadline: number, createdAt: number, absoluteTimeout: number): number =>
  absoluteTimeout > 0 ? Math.min(deadline, createdAt + absoluteTimeout) : deadline

/**
 * Whether the row is a live session by the application's clock, whatever the database still holds.
 *
 * @param time what the clock shows, for callers that decide several things by the same time
 */
export const isLive = (
  { data, expiresAt, createdAt }: Row,
  { absoluteTimeout, now }: Settings,
  time: number = now(),
): boolean => data !== null && withinAbsolute(expiresAt, createdAt, absoluteTimeout) > time

function toDeadline(expires: unknown): number {
  const at = toTime(expires)
  if (at === undefined)
    throw invalidSession('cookie.expires must be a Date, an ISO 8601 string or epoch milliseconds')
  return clamp(at)
}

const clamp = (at: number): number => Math.min(Math.max(0, Math.floor(at)), MAX_TIME)

const invalidSession = (message: string): SessionStoreError =>
  new SessionStoreError('INVALID_SESSION', message)
