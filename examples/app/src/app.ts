import { join } from 'node:path'
import type { SessionStore } from '@session-stores/core'
import { parseCookie } from 'cookie'
import { doubleCsrf } from 'csrf-csrf'
import express, { type Express } from 'express'
import session from 'express-session'
import helmet from 'helmet'
import { makeAccountRoutes } from './accounts.ts'
import { nameCookies } from './cookies.ts'
import { makeErrorHandler, Refusal } from './errors.ts'
import { makeShow, render } from './pages.ts'
import { makeSessionRoutes } from './sessions.ts'
import type { User, Users } from './users.ts'

declare module 'express-session' {
  interface SessionData {
    user?: User
    visits?: number
    /** Epoch milliseconds. */
    seenAt?: number
    browser?: string
  }
}

export interface AppOptions {
  store: SessionStore
  users: Users
  /** Signs the cookies. */
  secret: string
  /** Express's `trust proxy`: what stands in front and says whether it was HTTPS. */
  trustProxy?: boolean | number | string
  /** Serves pages over HTTPS alone. On by default where a proxy stands in front. */
  isSecure?: boolean
  /** Tries to sign in or up from one address in a minute. Default 10. */
  triesPerAddress?: number
  /** Wrong passwords for one name in a quarter of an hour, from anywhere. Default 10. */
  triesPerName?: number
}

const WEEK = 7 * 86_400_000

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
  // The token has a cookie of its own, so that the form to sign in needs no session.
  const { doubleCsrfProtection, generateCsrfToken } = doubleCsrf({
    getSecret: () => `csrf ${secret}`,
    getSessionIdentifier: (req) => (req.session.user ? req.sessionID : ''),
    getCsrfTokenFromRequest: (req) => req.body?.csrf,
    cookieName: cookies.csrf,
    cookieOptions: cookies.attributes,
  })
  const show = makeShow((req, res) => generateCsrfToken(req, res))

  app.set('trust proxy', trustProxy)
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }))
  app.use(express.static(join(import.meta.dirname, '..', 'public')))
  app.use((req, res, next) => {
    // Every page from here on depends on the session.
    res.set('Cache-Control', 'no-store')
    next(isSecure && !req.secure ? refusePlainHttp() : undefined)
  })
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
  app.use((req, _res, next) => {
    req.cookies = parseCookie(req.headers.cookie ?? '')
    next()
  })
  app.use(express.urlencoded({ extended: false }), doubleCsrfProtection)
  app.use((req, _res, next) => {
    if (req.session.user) req.session.seenAt = Date.now()
    next()
  })

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

function refusePlainHttp(): Refusal {
  return new Refusal({
    status: 403,
    title: 'HTTPS only',
    advice: 'Open this page with https://. If you did, the proxy does not send X-Forwarded-Proto.',
  })
}
