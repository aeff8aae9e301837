import { join } from 'node:path'
import type { SessionStore } from '@session-stores/core'
import { parseCookie } from 'cookie'
import { type DoubleCsrfUtilities, doubleCsrf } from 'csrf-csrf'
import express, { type Express, type RequestHandler } from 'express'
import session from 'express-session'
import helmet from 'helmet'
import { makeAccountRoutes } from './accounts.ts'
import { type Cookies, nameCookies } from './cookies.ts'
import { makeErrorHandler, Refusal } from './errors.ts'
import { makeShow, render } from './pages.ts'
import { makeSessionRoutes } from './sessions.ts'
import type { User, Users } from './users.ts'

declare module 'express-session' {
  interface SessionData {
    user?: User
    visits?: number
    /** In epoch milliseconds. */
    seenAt?: number
    browser?: string
  }
}

export interface AppOptions {
  store: SessionStore
  users: Users
  /** The secret that signs the cookies. */
  secret: string
  /** The `trust proxy` setting of Express: which proxies may say that a request came over HTTPS. */
  trustProxy?: boolean | number | string
  /**
   * Whether pages are served over HTTPS only.
   * @default true if `trustProxy` is set
   */
  isSecure?: boolean
  /**
   * Tries to sign in or to sign up from one address per minute.
   * @default 10
   */
  triesPerAddress?: number
  /**
   * Wrong passwords for one name per 15 minutes, from any address.
   * @default 10
   */
  triesPerName?: number
}

const WEEK = 7 * 86_400_000

/** Creates the application. The caller listens, and closes the store and the users. */
export function createApp({
  store,
  users,
  secret,
  trustProxy = false,
  isSecure = trustProxy !== false,
  triesPerAddress = 10,
  triesPerName = 10,
}: AppOptions): Express {
  const app = express()
  const cookies = nameCookies(isSecure)
  const { doubleCsrfProtection, generateCsrfToken } = makeCsrf(secret, cookies)
  const show = makeShow((req, res) => generateCsrfToken(req, res))

  app.set('trust proxy', trustProxy)
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }))
  app.use(express.static(join(import.meta.dirname, '..', 'public')))
  // Every page from here on depends on the session.
  app.use(forbidCaching, ...(isSecure ? [requireHttps] : []))
  app.use(
    session({
      store,
      secret,
      name: cookies.session,
      resave: false,
      saveUninitialized: false,
      rolling: true,
      cookie: { ...cookies.attributes, maxAge: WEEK },
    }),
  )
  app.use(parseCookies, express.urlencoded({ extended: false }), doubleCsrfProtection, noteVisit)

  app.get('/', (req, res) => {
    // Counting the visits of people who are not signed in would store a session for each of them.
    if (req.session.user) req.session.visits = (req.session.visits ?? 0) + 1
    show(req, res, 'home', { visits: req.session.visits })
  })
  app.use(makeAccountRoutes({ users, triesPerAddress, triesPerName, show }))
  app.use(makeSessionRoutes({ store, cookies, show }))
  app.use(makeErrorHandler({ cookies, render }))
  return app
}

/**
 * Returns the protection of forms. Its token has its own cookie because the sign-in form must not
 * need a session.
 */
function makeCsrf(secret: string, cookies: Cookies): DoubleCsrfUtilities {
  return doubleCsrf({
    getSecret: () => `csrf ${secret}`,
    getSessionIdentifier: (req) => (req.session.user ? req.sessionID : ''),
    getCsrfTokenFromRequest: (req) => req.body?.csrf,
    cookieName: cookies.csrf,
    cookieOptions: cookies.attributes,
  })
}

const forbidCaching: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store')
  next()
}

const requireHttps: RequestHandler = (req, _res, next) => {
  if (req.secure) return next()
  next(
    new Refusal({
      status: 403,
      title: 'HTTPS only',
      advice: 'Open this page with https://. If you did, the proxy does not send X-Forwarded-Proto.',
    }),
  )
}

/** The protection of forms reads `req.cookies`. */
const parseCookies: RequestHandler = (req, _res, next) => {
  req.cookies = parseCookie(req.headers.cookie ?? '')
  next()
}

const noteVisit: RequestHandler = (req, _res, next) => {
  if (req.session.user) req.session.seenAt = Date.now()
  next()
}
