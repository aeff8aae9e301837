import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'
import session, { type Session, type SessionData } from 'express-session'

/** Sessions as applications make, load and save them. */

/** The id of the session in rules about one session. */
export const ID = 'the-session-id'

export type Data = SessionData & Record<string, unknown>
export type RequestSession = Session & Data

/**
 * Makes a plain session, as a script or another framework saves it. Its cookie has no deadline
 * unless `cookie` gives it one.
 */
export function makePlain(data: object = {}, cookie: object = {}): Data {
  return {
    cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/', ...cookie },
    ...data,
  } as Data
}

/**
 * Makes a plain session that lives for `life` ms from `now`, with a cookie as the middleware makes
 * it.
 */
export const makeLasting = (now: number, life: number, data: object = {}): Data =>
  makePlain(data, { originalMaxAge: life, expires: new Date(now + life) })

/** Makes a session as express-session generates it for a request. */
export function makeFresh(
  store: SessionStore,
  id: string,
  data: object = {},
  cookie?: object,
): RequestSession {
  // The constructors are cast, because the types of express-session hide them.
  const Generated = session.Session as unknown as new (req: object) => RequestSession
  const Cookie = session.Cookie as unknown as new (options?: object) => RequestSession['cookie']
  const generated = new Generated({ sessionID: id, sessionStore: store })
  generated.cookie = new Cookie(cookie)
  return Object.assign(generated, data)
}

/**
 * Loads a session as express-session does for a request. Its `save` goes to the store that read it.
 */
export async function load(store: SessionStore, id: string): Promise<RequestSession> {
  const found = await store.get(id)
  assert.ok(found, 'the session is there')
  return store.createSession({ sessionID: id, sessionStore: store } as never, found) as RequestSession
}

/** Calls `session.save`, as `req.session.save(callback)` does. */
export function save(loaded: Session): Promise<void> {
  return new Promise((resolve, reject) => {
    loaded.save((error) => (error ? reject(error) : resolve()))
  })
}

/** Returns the session without its cookie; `null` and `undefined` stay as they are. */
export function omitCookie(
  found: SessionData | null | undefined,
): Record<string, unknown> | null | undefined {
  if (!found) return found
  const { cookie, ...data } = found
  return data
}

/** Returns what the session contains besides its cookie, or `null` for a missing session. */
export const read = async (store: SessionStore, id: string): Promise<Record<string, unknown> | null> =>
  omitCookie(await store.get(id)) as Record<string, unknown> | null

/** Returns the end of the session, as the cookie from `get` has it, in epoch milliseconds. */
export async function readDeadline(store: SessionStore, id: string): Promise<number> {
  const expires = (await store.get(id))?.cookie.expires
  assert.ok(expires instanceof Date, 'the cookie has a deadline')
  return expires.getTime()
}

/**
 * Does what `req.session.cookie.maxAge = life` does at the time `now`. The setter of
 * express-session cannot be used, because it would take the time from the clock of the machine.
 */
export function setMaxAge({ cookie }: RequestSession, now: number, life: number): void {
  cookie.expires = new Date(now + life)
  cookie.originalMaxAge = life
}

/** Does what `req.session.touch()` does at the time `now`. */
export const roll = (session: RequestSession, now: number): void =>
  setMaxAge(session, now, session.cookie.originalMaxAge!)

/** The option `user` of most rules: the key `user` of the session. */
export const readUser = (session: object): string | number | undefined =>
  (session as { user?: string | number }).user

/** Saves two sessions of ann, one of bob and one without a user. Each has its id as `name`. */
export async function saveUsers(store: SessionStore): Promise<void> {
  await Promise.all(
    Object.entries({ a1: 'ann', a2: 'ann', b1: 'bob', n1: undefined }).map(([name, user]) =>
      store.set(name, makePlain({ name, user })),
    ),
  )
}
