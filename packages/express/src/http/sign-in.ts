import type { ServerResponse } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { SessionStore } from '@session-stores/core'
import type { SessionData } from 'express-session'
import type { HttpRequest, StoredSession } from './framework.ts'
import { clearCookies, generate, isLoaded, presetOf, requireSecure } from './preset.ts'
import { asking, promised } from './store-errors.ts'

declare module 'express-session' {
  interface SessionData {
    /** When the user proved who they are, in epoch milliseconds. `signIn` sets it. */
    signedInAt?: number
  }
}

/** What `signIn` takes. */
export interface SignInOptions {
  /**
   * The keys of the session before the sign-in that go along, such as `['cart', 'returnTo']`. All
   * others are dropped, because somebody else may have put them there.
   *
   * @default []
   */
  keep?: readonly string[]
}

/** What `signOut` takes. */
export interface SignOutOptions {
  /**
   * Ends all sessions and tokens of the user, and not this session alone. Needs the store's option
   * `user`.
   *
   * @default false
   */
  everywhere?: boolean
  /**
   * What the browser clears (W3C Clear Site Data); `false`: nothing but the cookie.
   *
   * @default ['cache', 'storage']
   */
  clearSiteData?: readonly string[] | false
}

/**
 * Signs a user in: gives the request a session with a new id, because somebody may have planted the
 * old one (OWASP ASVS 5.0, 7.2.4), and stores it before it resolves, so that the next request finds
 * it. The old session ends last, so an error on the way loses nothing.
 *
 * @param data what the session holds from now on, by which the store's option `user` finds the user.
 * @throws INSECURE_CONNECTION, or the error of the store
 * @example
 * await signIn(req, { userId: user.id }, { keep: ['cart'] })
 * res.redirect(303, '/')
 */
export async function signIn(
  req: HttpRequest,
  data: Partial<SessionData>,
  { keep = [] }: SignInOptions = {},
): Promise<void> {
  const preset = presetOf(req)
  requireSecure(req, preset)
  const { store } = preset.settings
  const { sessionID: id, session: before } = req
  const hasRow = isLoaded(req, preset)
  const kept = hasRow ? await asking(latest(store, id, before, keep)) : pick(before, keep)
  try {
    const session = generate(req, store)
    Object.assign(session, kept, data, { signedInAt: store.settings.now() })
    await promised((callback) => session.save(callback))
    if (hasRow) await asking(store.destroy(id))
  } catch (error) {
    req.sessionID = id
    req.session = before
    throw error
  }
  req.res?.setHeader('Cache-Control', 'no-store')
}

/**
 * Signs the user out: ends the session, so that its cookie and all its tokens open nothing any
 * more, then clears the cookie. Where the store fails, the cookie stays and the call rejects.
 *
 * @throws the error of the store, or a TypeError for `everywhere` without the store's option `user`
 * @example
 * await signOut(req, res)
 * res.redirect(303, '/')
 */
export async function signOut(
  req: HttpRequest,
  res: ServerResponse,
  { everywhere = false, clearSiteData = ['cache', 'storage'] }: SignOutOptions = {},
): Promise<void> {
  const preset = presetOf(req)
  const { store } = preset.settings
  const { session } = req
  if (session) {
    const user = everywhere ? ownerOf(store, session) : undefined
    await promised((callback) => session.destroy(callback))
    if (user !== undefined) await asking(store.revokeUser(user))
  }
  clearCookies(req, res, preset)
  res.setHeader('Cache-Control', 'no-store')
  if (clearSiteData && clearSiteData.length > 0)
    res.setHeader('Clear-Site-Data', clearSiteData.map((kind) => `"${kind}"`).join(', '))
}

function ownerOf(store: SessionStore, session: StoredSession): string | number | undefined {
  const { user } = store.settings
  if (user === undefined) throw new TypeError("'everywhere' needs a store with the option 'user'")
  return user(session as SessionData) ?? undefined
}

/**
 * Returns the kept keys of a stored session as they are now: another request may have changed them
 * since this one began, and this one may have changed them, too.
 */
async function latest(
  store: SessionStore,
  id: string,
  before: StoredSession,
  keep: readonly string[],
): Promise<Record<string, unknown>> {
  if (keep.length === 0) return {}
  const stored = await store.get(id)
  // The session was ended meanwhile: what it held must not get into a new one.
  if (stored === null) return {}
  if (isDeepStrictEqual(pick(stored, keep), pick(before, keep))) return pick(stored, keep)
  // The save merges both.
  await promised((callback) => before.save(callback))
  const merged = await store.get(id)
  return merged === null ? {} : pick(merged, keep)
}

/** What belongs to a session and not to its user, so it is never kept. */
const NEVER_KEPT = new Set(['cookie', 'tokenFamily', 'signedInAt', '__proto__'])

/** Returns these keys of a session, without what belongs to the session itself. */
export function pick(source: object, keys: readonly string[]): Record<string, unknown> {
  const own = keys.filter((key) => Object.hasOwn(source, key) && !NEVER_KEPT.has(key))
  return Object.fromEntries(own.map((key) => [key, (source as Record<string, unknown>)[key]]))
}
