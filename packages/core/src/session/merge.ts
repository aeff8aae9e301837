import type { SessionData } from 'express-session'
import type { Codec } from '../encoding/codec.ts'
import { CookieSettings, hasSameSettings } from './cookie.ts'

/** One side of a merge, or its result. */
export interface Version {
  session: SessionData
  /** Epoch milliseconds. */
  expiresAt: number
  /** Whether a later deadline that is stored stays. */
  extend: boolean
}

/**
 * Merges by top-level key: what this request changed since it read `base` is taken from `ours`, the
 * rest from `theirs`. Comparing two sides would not be enough, because a key that only one side has
 * may be new on that side or deleted on the other. See docs/decisions/0002-three-way-merge.md.
 */
export async function merge(
  base: SessionData | undefined,
  theirs: Version,
  ours: Version,
  codec: Codec,
): Promise<Version> {
  const before = (base ?? {}) as unknown as Record<string, unknown>
  const their = theirs.session as unknown as Record<string, unknown>
  const our = ours.session as unknown as Record<string, unknown>
  const merged: [string, unknown][] = []
  for (const key of new Set([...Object.keys(their), ...Object.keys(our)])) {
    if (key === 'cookie') continue
    const isOurs =
      Object.hasOwn(before, key) !== Object.hasOwn(our, key) || !(await codec.isSame(before[key], our[key]))
    const side = isOurs ? our : their
    if (Object.hasOwn(side, key)) merged.push([key, side[key]])
  }
  const { cookie, expiresAt, extend } = mergeCookie(base, theirs, ours)
  // `fromEntries` defines properties, so a key `__proto__` stays a key.
  const session = { cookie, ...Object.fromEntries(merged) } as SessionData
  return { session, expiresAt, extend }
}

/**
 * The settings of the cookie count as one key. The side that changed them also decides the
 * deadline. Where neither did, the later deadline counts.
 */
function mergeCookie(base: SessionData | undefined, theirs: Version, ours: Version) {
  const before = base && new CookieSettings(base.cookie)
  const { cookie } = theirs.session
  const { expiresAt } = ours
  if (!before || !hasSameSettings(before, new CookieSettings(ours.session.cookie)))
    return { cookie: ours.session.cookie, expiresAt, extend: false }
  // Another request may touch the session once more before the merged one is written.
  if (!hasSameSettings(before, new CookieSettings(cookie)))
    return { cookie, expiresAt: theirs.expiresAt, extend: true }
  // This request set an earlier deadline by hand, which is not a setting.
  if (!ours.extend) return { cookie, expiresAt, extend: false }
  return { cookie, expiresAt: Math.max(theirs.expiresAt, expiresAt), extend: true }
}
