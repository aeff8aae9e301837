import type { Tokens } from '@session-stores/token'
import type { RequestHandler } from 'express'
import { sendError } from './answers.ts'
import { EXPRESS } from './framework.ts'
import { type Auth, type AuthenticateOptions, makeAuthenticator } from './http/authenticator.ts'

declare global {
  namespace Express {
    interface Request {
      /** Set by `authenticate`. */
      auth?: Auth
    }
  }
}

/**
 * Returns middleware that finds out who sent the request and sets `req.auth`, or answers with 401
 * and `WWW-Authenticate` (RFC 6750), 403 for a missing scope or another site, and 503 where the
 * store does not answer. Tokens in the URL or the body are never read.
 *
 * @throws TypeError for a wrong option.
 * @example
 * app.get('/api/notes', authenticate(tokens, { scope: 'notes:read' }), (req, res) => {
 *   res.json({ user: req.auth.user })
 * })
 */
export function authenticate(tokens: Tokens, options: AuthenticateOptions = {}): RequestHandler {
  const identify = makeAuthenticator(EXPRESS, tokens, options)
  return (req, res, next) => {
    const proceed = (auth: Auth | undefined): void => {
      if (auth) req.auth = auth
      next()
    }
    let auth: Auth | undefined | Promise<Auth>
    try {
      auth = identify(req)
    } catch (error) {
      return sendError(res, error, next)
    }
    if (auth instanceof Promise) auth.then(proceed, (error: unknown) => sendError(res, error, next))
    else proceed(auth)
  }
}
