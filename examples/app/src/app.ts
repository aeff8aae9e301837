import { join } from 'node:path'
import type { SessionStore } from '@session-stores/core'
import { sameOrigin, sessions, tokenRoutes } from '@session-stores/express'
import type { Tokens } from '@session-stores/token'
import express, { type Express, type RequestHandler } from 'express'
import helmet from 'helmet'
import { makeAccountRoutes } from './accounts.ts'
import { makeApiRoutes } from './api.ts'
import { Refusal, refusePath, showError } from './errors.ts'
import { makeLimits } from './limits.ts'
import { show } from './pages.ts'
import { makePassport } from './passport.ts'
import { makeSessionRoutes, noteVisit } from './sessions.ts'
import type { Users } from './users.ts'

declare module 'express-session' {
  interface SessionData {
    /** The user, as Passport stores it. */
    passport?: { user?: string }
    visits?: number
    /** In epoch milliseconds. */
    seenAt?: number
    /** What the user sees in the list of sessions. */
    device?: string
  }
}

export interface AppOptions {
  store: SessionStore
  users: Users
  tokens: Tokens
  /**
   * The name of the database of the sessions, which the pages show.
   * @default 'memory'
   */
  database?: string
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

/** Creates the application. The caller listens, and closes the store, the tokens and the users. */
export function createApp({
  store,
  users,
  tokens,
  database = 'memory',
  secret,
  trustProxy = false,
  isSecure = trustProxy !== false,
  triesPerAddress = 10,
  triesPerName = 10,
}: AppOptions): Express {
  const app = express()
  const limits = makeLimits({ triesPerAddress, triesPerName })
  const passport = makePassport(users)

  app.locals.database = database
  app.set('trust proxy', trustProxy)
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }))
  app.use(express.static(join(import.meta.dirname, '..', 'public')))
  // Everything from here on depends on the session.
  app.use(forbidCaching, ...(isSecure ? [requireHttps] : []))
  app.use(sessions({ store, secret, maxAge: WEEK, development: !isSecure }), sameOrigin())
  app.use(passport.session(), noteVisit)

  app.use(tokenRoutes(tokens))
  app.use('/api', makeApiRoutes({ tokens, users, limits }))
  app.get('/', (req, res) => {
    // Counting the visits of people who are not signed in would store a session for each of them.
    if (req.user) req.session.visits = (req.session.visits ?? 0) + 1
    show(req, res, 'home', { visits: req.session.visits, endsAt: req.session.cookie.expires })
  })
  app.use(express.urlencoded({ extended: false }))
  app.use(makeAccountRoutes({ users, passport, limits }))
  app.use(makeSessionRoutes({ store }))
  app.use(refusePath, showError)
  return app
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
