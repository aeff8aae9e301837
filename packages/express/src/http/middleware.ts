import type { ServerResponse } from 'node:http'
import session, { type CookieOptions } from 'express-session'
import { addCookies, expire, onlyCookie, serialize } from './cookies.ts'
import type { HttpRequest } from './framework.ts'
import { isCookieLost, isLoaded, type Preset, setPreset, takesCookies } from './preset.ts'
import { type Advice, type SessionsOptions, toSettings } from './preset-options.ts'
import { withStatus } from './store-errors.ts'

/** A middleware of `node:http`, as express-session is one. */
export type HttpMiddleware = (req: HttpRequest, res: ServerResponse, next: (error?: unknown) => void) => void

/**
 * Makes express-session's middleware with safe settings. The framework sets `req.secure` before.
 *
 * @throws TypeError for a weak, wrong or unknown option, with what to write instead.
 */
export function makeMiddleware(advice: Advice, options: SessionsOptions): HttpMiddleware {
  const settings = toSettings(options, advice)
  const { store, secret, name, maxAge, sameSite, readAlso, development } = settings
  const attributes: CookieOptions = { httpOnly: true, secure: !development, sameSite, path: '/' }
  const insecure =
    'The session cookie is Secure, and this request came over plain http. Behind a proxy that terminates TLS, ' +
    `write ${advice.trustProxy}. On http://localhost, write sessions({ …, development: true }).`
  const preset: Preset = { settings, attributes, insecure }
  const middleware = session({
    store,
    secret,
    name,
    resave: false,
    saveUninitialized: false,
    cookie: { ...attributes, ...(maxAge && { maxAge }) },
  }) as unknown as HttpMiddleware

  return (req, res, next) => {
    let older: OlderCookie | undefined
    try {
      older = onlyCookie(req, name) === undefined ? findOlderCookie(req, readAlso) : undefined
    } catch (error) {
      next(error)
      return
    }
    if (older) req.headers.cookie += `; ${name}=${older.value}`
    req.res ??= res
    setPreset(req, preset)
    middleware(req, res, (error?: unknown) => {
      if (error) return next(withStatus(error))
      if (older && isLoaded(req, preset)) replaceCookie(res, older, preset)
      if (!takesCookies(req, preset)) refuseLostCookie(req, res, preset)
      next()
    })
  }
}

interface OlderCookie {
  name: string
  value: string
}

function findOlderCookie(req: HttpRequest, names: readonly string[]): OlderCookie | undefined {
  for (const name of names) {
    const value = onlyCookie(req, name)
    if (value !== undefined) return { name, value }
  }
  return undefined
}

/** The value stays: it is the signed id of the session, whatever the name of the cookie is. */
function replaceCookie(res: ServerResponse, older: OlderCookie, { settings, attributes }: Preset): void {
  const { name, maxAge } = settings
  const value = decodeURIComponent(older.value)
  addCookies(res, [
    serialize(name, value, { ...attributes, ...(maxAge && { maxAge }) }),
    expire(older.name, { path: '/' }),
  ])
}

/**
 * Answers with 500 where a session would be stored whose cookie the browser does not get. Each
 * request would store another one, and the user would never be signed in (express-session#281).
 */
function refuseLostCookie(req: HttpRequest, res: ServerResponse, preset: Preset): void {
  const end = res.end
  res.end = ((...args: unknown[]) => {
    res.end = end
    if (!isCookieLost(req, preset) || res.headersSent)
      return (end as (...all: unknown[]) => ServerResponse).apply(res, args)
    // Nothing is stored without a session.
    req.session = undefined as never
    for (const header of res.getHeaderNames()) res.removeHeader(header)
    res.statusCode = 500
    res.setHeader('Content-Type', 'text/plain; charset=utf-8')
    res.setHeader('Cache-Control', 'no-store')
    return end.call(res, `${preset.insecure}\n`, 'utf8')
  }) as ServerResponse['end']
}
