import { makeOriginCheck, type SameOriginOptions } from '@session-stores/express/http'
import { FASTIFY } from './framework.ts'
import type { Hook } from './hook.ts'

/**
 * Returns a hook that refuses requests of other sites' pages (CSRF), by what the browser says of
 * them: `Sec-Fetch-Site`, else `Origin`. Safe methods pass, so no handler of GET may change
 * anything. A request with a Bearer token passes, because no other site can make a browser send
 * one. It guards the sign-in, too: signing somebody in as somebody else is an attack.
 *
 * @throws TypeError for a wrong option; requests fail with `CROSS_SITE` (403).
 * @see OWASP, Cross-Site Request Forgery Prevention Cheat Sheet: Fetch Metadata
 * @example
 * app.addHook('onRequest', sameOrigin())
 */
export function sameOrigin(options: SameOriginOptions = {}): Hook {
  const check = makeOriginCheck(FASTIFY, options)
  return (request, _reply, done) => {
    try {
      check(request)
    } catch (error) {
      return done(error as Error)
    }
    done()
  }
}
