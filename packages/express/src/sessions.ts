import type { RequestHandler } from 'express'
import { EXPRESS } from './framework.ts'
import { makeMiddleware } from './http/middleware.ts'
import type { SessionsOptions } from './http/preset-options.ts'

/**
 * Returns express-session's middleware with safe settings: a cookie that is `__Host-`, `Secure`,
 * `HttpOnly` and `SameSite`, no row for visitors without data, no second save. The session is
 * `req.session`, as with express-session itself.
 *
 * @throws TypeError for a weak, wrong or unknown option, with what to write instead.
 * @example
 * app.set('trust proxy', 1)
 * app.use(sessions({ store, secret: process.env.SESSION_SECRET }))
 */
export const sessions = (options: SessionsOptions): RequestHandler => makeMiddleware(EXPRESS, options)
