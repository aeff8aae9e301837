import { makeMiddleware, type PromisedSession, type SessionsOptions } from '@session-stores/express/http'
import type { Middleware } from 'koa'
import { KOA } from './framework.ts'
import { mount } from './session.ts'

/** What `sessions` adds to the context. */
export interface SessionContext {
  /** The session. `null` ends it and clears its cookie; after its end it is `null`. */
  get session(): PromisedSession
  set session(value: PromisedSession | null)
}

declare module 'koa' {
  // Two copies of this, of the ES module and of CommonJS, may be in one program.
  interface DefaultContext extends SessionContext {}
}

/**
 * Returns middleware that sets `ctx.session`, with safe settings: a cookie that is `__Host-`,
 * `Secure`, `HttpOnly` and `SameSite`, no row for visitors without data, no second save. The
 * session is stored before the answer ends, also where a handler throws. express-session does the
 * work underneath.
 *
 * @throws TypeError for a weak, wrong or unknown option, with what to write instead.
 * @example
 * app.proxy = true
 * app.use(sessions({ store, secret: process.env.SESSION_SECRET }))
 */
export const sessions = (options: SessionsOptions): Middleware => mount(makeMiddleware(KOA, options))
