import { checkOptions, type OptionRule } from '@session-stores/core'
import { TokenError } from '@session-stores/token'
import type { Request, RequestHandler } from 'express'

/** What `sameOrigin` takes. */
export interface SameOriginOptions {
  /**
   * Other origins whose pages may send requests with the cookies of this site, such as
   * `['https://app.example.com']`.
   *
   * @default []
   */
  trusted?: readonly string[]
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const isOrigin = (value: unknown): boolean =>
  typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value

const rules: Record<keyof SameOriginOptions, OptionRule> = {
  trusted: [
    "an array of origins, such as ['https://app.example.com'], without a path or a slash at the end",
    (value) => Array.isArray(value) && value.every(isOrigin),
  ],
}

/** Marks requests that passed `sameOrigin`, so that later middleware refuses no trusted origin. */
const PASSED: unique symbol = Symbol('session-stores same origin')

interface PassedRequest extends Request {
  [PASSED]?: true
}

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
  checkOptions(options, rules)
  const trusted = new Set(options.trusted)
  return (req, _res, next) => {
    if (!isSameOrigin(req, trusted)) return next(crossSite())
    ;(req as PassedRequest)[PASSED] = true
    next()
  }
}

export const crossSite = (): TokenError =>
  new TokenError(
    'CROSS_SITE',
    'a page of another site sent this request, or a browser that does not say which',
  )

/** Whether the request may use the cookies of this site. */
export const mayUseCookies = (req: PassedRequest): boolean =>
  req[PASSED] === true || isSameOrigin(req, NOBODY)

const NOBODY: ReadonlySet<string> = new Set()

function isSameOrigin(req: Request, trusted: ReadonlySet<string>): boolean {
  if (SAFE.has(req.method) || /^Bearer /i.test(req.headers.authorization ?? '')) return true
  const { origin, cookie } = req.headers
  if (origin !== undefined && trusted.has(origin)) return true
  const site = req.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin !== undefined) return URL.canParse(origin) && new URL(origin).host === hostOf(req)
  // Every browser sends one of the two headers, so without a cookie this is another program.
  return cookie === undefined
}

/** Returns host and port of the request. A proxy that ends https may have changed the scheme. */
function hostOf(req: Request): string | undefined {
  const trusts = req.app.get('trust proxy fn') as
    | ((address: string | undefined, hop: number) => boolean)
    | undefined
  const forwarded = req.get('X-Forwarded-Host')
  const isTrusted = forwarded !== undefined && trusts?.(req.socket.remoteAddress, 0)
  return (isTrusted ? forwarded.split(',')[0]!.trim() : req.headers.host)?.toLowerCase()
}
