import type { SessionData } from 'express-session'
import type { Codec } from '../encoding/codec.ts'
import { CookieSettings, sameSettings } from './deadline.ts'

/** A session and its deadline. */
export interface Version {
  session: SessionData
  /** Epoch milliseconds. */
  expiresAt: number
}

/** A version to be saved; with `extend` a later deadline that is stored stays. */
export interface Merged extends Version {
  extend: boolean
}

/**
 * Three-way merge by top-level key: what this request changed since it read `base` is ours, the rest theirs.
 * Two ways are not enough: a key that only one side has may be new there or deleted here (connect-redis 6.1.0
 * shipped that and had to take it back, tj/connect-redis#346).
 */
export async function merge(
  base: SessionData | undefined,
  theirs: Version,
  ours: Merged,
  codec: Codec,
): Promise<Merged> {
  const from = (base ?? {}) as unknown as Record<string, unknown>
  const their = theirs.session as unknown as Record<string, unknown>
  const our = ours.session as unknown as Record<string, unknown>
  const merged: [string, unknown][] = []
  for (const key of new Set([...Object.keys(their), ...Object.keys(our)])) {
    if (key === 'cookie') continue
    const changed =
      Object.hasOwn(from, key) !== Object.hasOwn(our, key) || !(await codec.isSame(from[key], our[key]))
    const side = changed ? our : their
    if (Object.hasOwn(side, key)) merged.push([key, side[key]])
  }
  const { cookie, expiresAt, extend } = mergeCookie(base, theirs, ours)
  // fromEntries defines properties, so that a key `__proto__` stays a key.
  const session = { cookie, ...Object.fromEntries(merged) } as SessionData
  return { session, expiresAt, extend }
}

/** The settings are one key; whoever changed them also decides the deadline, else the later one counts. */
function mergeCookie(base: SessionData | undefined, theirs: Version, ours: Merged) {
  const before = base && new CookieSettings(base.cookie)
  const { cookie } = theirs.session
  const { expiresAt } = ours
  if (!before || !sameSettings(before, new CookieSettings(ours.session.cookie)))
    return { cookie: ours.session.cookie, expiresAt, extend: false }
  // They may be touched once more before the merged session is written.
  if (!sameSettings(before, new CookieSettings(cookie)))
    return { cookie, expiresAt: theirs.expiresAt, extend: true }
  // The request set an earlier end by hand, which is no setting.
  if (!ours.extend) return { cookie, expiresAt, extend: false }
  return { cookie, expiresAt: Math.max(theirs.expiresAt, expiresAt), extend: true }
}
