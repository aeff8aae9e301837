import type { SessionStore } from '@session-stores/core'
import session, { type Session, type SessionData } from 'express-session'

/** The session object of a request. */
export type RequestSession = Session & SessionData & Record<string, unknown>

/** Generates a session for a new request as express-session does. It expires after an hour. */
export function generateSession(store: SessionStore, id: string, data: object): RequestSession {
  const Generated = session.Session as unknown as new (req: object) => RequestSession
  const Cookie = session.Cookie as unknown as new (options: object) => SessionData['cookie']
  const created = new Generated({ sessionID: id, sessionStore: store })
  created.cookie = new Cookie({ maxAge: 3_600_000 })
  return Object.assign(created, data)
}
