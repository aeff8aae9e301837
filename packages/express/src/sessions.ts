import type { CookieOptions, Request, RequestHandler, Response } from 'express'
import session from 'express-session'
import { onlyCookie } from './cookies.ts'
import { INSECURE, isLoaded, type Preset, setPreset, takesCookies } from './preset.ts'
import { type SessionsOptions, toSettings } from './preset-options.ts'
import { withStatus } from './store-errors.ts'

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
export function sessions(options: SessionsOptions): RequestHandler {
  const settings = toSettings(options)
  const { store, secret, name, maxAge, sameSite, readAlso, development } = settings
  const attributes: CookieOptions = { httpOnly: true, secure: !development, sameSite, path: '/' }
  const preset: Preset = { settings, attributes }
  const middleware = session({
    store,
    secret,
    name,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, secure: !development, sameSite, path: '/', ...(maxAge && { maxAge }) },
  })

  return (req, res, next) => {
    let older: OlderCookie | undefined
    try {
      older = onlyCookie(req, name) === undefined ? findOlderCookie(req, readAlso) : undefined
    } catch (error) {
      next(error)
      return
    }
    if (older) req.headers.cookie += `; ${name}=${older.value}`
    setPreset(req, preset)
    middleware(req, res, (error?: unknown) => {
      if (error) return next(withStatus(error))
      // The handshake of a WebSocket has no answer of Express. A later request replaces the cookie.
      if (older && typeof res.cookie === 'function' && isLoaded(req, preset))
        replaceCookie(res, older, preset)
      if (!takesCookies(req, preset)) refuseLostCookie(req, res, preset)
      next()
    })
  }
}

interface OlderCookie {
  name: string
  value: string
}

function findOlderCookie(req: Request, names: readonly string[]): OlderCookie | undefined {
  for (const name of names) {
    const value = onlyCookie(req, name)
    if (value !== undefined) return { name, value }
  }
  return undefined
}

/** The value stays: it is the signed id of the session, whatever the name of the cookie is. */
function replaceCookie(res: Response, older: OlderCookie, { settings, attributes }: Preset): void {
  const { name, maxAge } = settings
  res.cookie(name, older.value, { ...attributes, ...(maxAge && { maxAge }), encode: String })
  res.clearCookie(older.name, { path: '/' })
}

/**
 * Answers with 500 where a session would be stored whose cookie the browser does not get. Each
 * request would store another one, and the user would never be signed in (express-session#281).
 */
function refuseLostCookie(req: Request, res: Response, preset: Preset): void {
  const end = res.end
  res.end = ((...args: unknown[]) => {
    res.end = end
    const { session: data } = req
    const isLost = data && !isLoaded(req, preset) && Object.keys(data).some((key) => key !== 'cookie')
    if (!isLost || res.headersSent) return (end as (...all: unknown[]) => Response).apply(res, args)
    // Nothing is stored without a session.
    req.session = undefined as never
    for (const header of res.getHeaderNames()) res.removeHeader(header)
    res.statusCode = 500
    res.setHeader('Content-Type', 'text/plain; charset=utf-8')
    res.setHeader('Cache-Control', 'no-store')
    return end.call(res, `${INSECURE}\n`, 'utf8')
  }) as Response['end']
}
