import { checkOptions, type OptionRule } from '@session-stores/core'
import { TokenError } from '@session-stores/token'
import type { Framework, HttpRequest } from './framework.ts'

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

interface PassedRequest extends HttpRequest {
  [PASSED]?: true
}

/**
 * Returns a check that refuses requests of other sites' pages.
 *
 * @throws TypeError for a wrong option; the check throws `CROSS_SITE`.
 */
export function makeOriginCheck<Source>(
  framework: Framework<Source>,
  options: SameOriginOptions,
): (source: Source) => void {
  checkOptions(options, rules)
  const trusted = new Set(options.trusted)
  return (source) => {
    const req: PassedRequest = framework.rawOf(source)
    if (!isSameOrigin(req, trusted, () => framework.hostOf(source))) throw crossSite()
    req[PASSED] = true
  }
}

export const crossSite = (): TokenError =>
  new TokenError(
    'CROSS_SITE',
    'a page of another site sent this request, or a browser that does not say which',
  )

/** Whether the request may use the cookies of this site. */
export function mayUseCookies<Source>(framework: Framework<Source>, source: Source): boolean {
  const req: PassedRequest = framework.rawOf(source)
  return req[PASSED] === true || isSameOrigin(req, NOBODY, () => framework.hostOf(source))
}

const NOBODY: ReadonlySet<string> = new Set()

function isSameOrigin(
  req: HttpRequest,
  trusted: ReadonlySet<string>,
  hostOf: () => string | undefined,
): boolean {
  if (SAFE.has(req.method!) || /^Bearer /i.test(req.headers.authorization ?? '')) return true
  const { origin, cookie } = req.headers
  if (origin !== undefined && trusted.has(origin)) return true
  const site = req.headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  if (origin !== undefined) return URL.canParse(origin) && new URL(origin).host === hostOf()?.toLowerCase()
  // Every browser sends one of the two headers, so without a cookie this is another program.
  return cookie === undefined
}
