import { makeOriginCheck, type SameOriginOptions } from '@session-stores/express/http'
import type { Middleware } from 'koa'
import { expose } from './answers.ts'
import { KOA } from './framework.ts'

/**
 * Returns middleware that refuses requests of other sites' pages (CSRF), by what the browser says of
 * them: `Sec-Fetch-Site`, else `Origin`. Safe methods pass, so no handler of GET may change
 * anything. A request with a Bearer token passes, because no other site can make a browser send
 * one. Mount it before the sign-in, too: signing somebody in as somebody else is an attack.
 *
 * @throws TypeError for a wrong option; requests fail with `CROSS_SITE` (403).
 * @see OWASP, Cross-Site Request Forgery Prevention Cheat Sheet: Fetch Metadata
 * @example
 * app.use(sameOrigin())
 */
export function sameOrigin(options: SameOriginOptions = {}): Middleware {
  const check = makeOriginCheck(KOA, options)
  return (ctx, next) => {
    try {
      check(ctx)
    } catch (error) {
      throw expose(error)
    }
    return next()
  }
}
