import type { RequestHandler } from 'express'
import { EXPRESS } from './framework.ts'
import { makeOriginCheck, type SameOriginOptions } from './http/origin.ts'

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
export function sameOrigin(options: SameOriginOptions = {}): RequestHandler {
  const check = makeOriginCheck(EXPRESS, options)
  return (req, _res, next) => {
    try {
      check(req)
    } catch (error) {
      return next(error)
    }
    next()
  }
}
