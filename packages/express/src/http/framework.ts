import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session, SessionData } from 'express-session'

/** The session object of express-session, with the data of the application. */
export type StoredSession = Session & Partial<SessionData>

/** A request of `node:http` that express-session gave a session. A request of Express is one, too. */
export interface HttpRequest extends IncomingMessage {
  session: StoredSession
  sessionID: string
  sessionStore?: unknown
  /** Whether the browser sent the request by https, perhaps to a proxy that the framework trusts. */
  secure?: boolean
  res?: ServerResponse
}

/** What differs between web frameworks. `Source` is what their handlers get for a request. */
export interface Framework<Source> {
  /** Returns the request of `node:http`. */
  rawOf(source: Source): HttpRequest
  /** Returns host and port as the browser sees them. Only a trusted proxy may change them. */
  hostOf(source: Source): string | undefined
  /** What to write so that the framework trusts a proxy in front of it. */
  trustProxy: string
  /** The call that signs out. */
  signOut: string
}
