import type { SessionData } from 'express-session'

/** Returns a session as a plain object, as a script saves one. */
export function plain(data: object = {}): SessionData {
  return { cookie: { originalMaxAge: null, httpOnly: true, path: '/' }, ...data } as SessionData
}
