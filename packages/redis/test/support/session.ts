import type { SessionData } from 'express-session'

/** A plain session, as a script saves one. */
export function plain(data: object = {}): SessionData {
  return { cookie: { originalMaxAge: null, httpOnly: true, path: '/' }, ...data } as SessionData
}
