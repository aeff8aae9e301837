import {
  type Auth,
  type AuthenticateOptions,
  makeAuthenticator,
  toAnswer,
} from '@session-stores/express/http'
import type { Tokens } from '@session-stores/token'
import { FASTIFY } from './framework.ts'
import { type Hook, send } from './hook.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `authenticate`. */
    auth?: Auth
  }
}

/**
 * Returns a hook that finds out who sent the request and sets `request.auth`, or answers with 401
 * and `WWW-Authenticate` (RFC 6750), 403 for a missing scope or another site, and 503 where the
 * store does not answer. Tokens in the URL or the body are never read.
 *
 * @throws TypeError for a wrong option.
 * @example
 * app.get('/api/notes', { onRequest: authenticate(tokens, { scope: 'notes:read' }) }, (request) => {
 *   return { user: request.auth.user }
 * })
 */
export function authenticate(tokens: Tokens, options: AuthenticateOptions = {}): Hook {
  const identify = makeAuthenticator(FASTIFY, tokens, options)
  return (request, reply, done) => {
    const proceed = (auth: Auth | undefined): void => {
      if (auth) request.auth = auth
      done()
    }
    const refuse = (error: unknown): void => {
      const answer = toAnswer(error)
      if (answer) send(reply, answer)
      else done(error as Error)
    }
    let auth: Auth | undefined | Promise<Auth>
    try {
      auth = identify(request)
    } catch (error) {
      return refuse(error)
    }
    if (auth instanceof Promise) auth.then(proceed, refuse)
    else proceed(auth)
  }
}
