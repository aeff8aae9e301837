import {
  type Auth,
  type AuthenticateOptions,
  makeAuthenticator,
  toAnswer,
} from '@session-stores/express/http'
import type { Tokens } from '@session-stores/token'
import type { Middleware } from 'koa'
import { send } from './answers.ts'
import { KOA } from './framework.ts'

declare module 'koa' {
  interface DefaultState {
    /** Set by `authenticate`. */
    auth?: Auth
  }
}

/**
 * Returns middleware that finds out who sent the request and sets `ctx.state.auth`, or answers with
 * 401 and `WWW-Authenticate` (RFC 6750), 403 for a missing scope or another site, and 503 where the
 * store does not answer. Tokens in the URL or the body are never read.
 *
 * @throws TypeError for a wrong option.
 * @example
 * router.get('/api/notes', authenticate(tokens, { scope: 'notes:read' }), (ctx) => {
 *   ctx.body = { user: ctx.state.auth.user }
 * })
 */
export function authenticate(tokens: Tokens, options: AuthenticateOptions = {}): Middleware {
  const identify = makeAuthenticator(KOA, tokens, options)
  return async (ctx, next) => {
    let auth: Auth | undefined
    try {
      auth = await identify(ctx)
    } catch (error) {
      const answer = toAnswer(error)
      if (answer === undefined) throw error
      return send(ctx, answer)
    }
    if (auth) ctx.state.auth = auth
    await next()
  }
}
