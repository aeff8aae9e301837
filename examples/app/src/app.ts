import { join } from 'node:path'
import type { SessionStore } from '@session-stores/core'
import Bowser from 'bowser'
import { csrfSync } from 'csrf-sync'
import { Eta } from 'eta'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { rateLimit } from 'express-rate-limit'
import session from 'express-session'
import helmet from 'helmet'
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
  /** Signs the cookie. */
  secret: string
  /** Express's `trust proxy`: what stands in front and says whether it was HTTPS. */
  trustProxy?: boolean | number | string
  /** Tries of a password a minute and address. Default 10. */
  signInLimit?: number
}

const WEEK = 7 * 86_400_000
const root = join(import.meta.dirname, '..')

export function createApp({
  store,
  users,
  secret,
  trustProxy = false,
  signInLimit = 10,
}: AppOptions): Express {
  const app = express()
  const pages = new Eta({ views: join(root, 'views'), cache: true })
  const { csrfSynchronisedProtection, generateToken } = csrfSync({
    getTokenFromRequest: (req) => req.body?.csrf,
  })
  const limit = rateLimit({
    windowMs: 60_000,
    limit: signInLimit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_req, _res, next) => next({ statusCode: 429 }),
  })

  function show(req: Request, res: Response, page: string, data: object = {}): void {
    res.send(pages.render(page, { ...data, user: req.session.user, csrf: generateToken(req) }))
  }

  app.set('trust proxy', trustProxy)
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }))
  app.use(express.static(join(root, 'public')))
  app.use(
    session({
      store,
      secret,
      name: 'session',
      resave: false,
      saveUninitialized: false,
      rolling: true,
      cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: WEEK },
    }),
  )
  app.use(express.urlencoded({ extended: false }), csrfSynchronisedProtection)
  app.use((req, _res, next) => {
    if (req.session.user) req.session.seenAt = Date.now()
    next()
  })

  app.get('/', (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1
    show(req, res, 'home', { visits: req.session.visits })
  })

  for (const { path, title, action } of [
    { path: '/sign-in', title: 'Sign in', action: users.signIn.bind(users) },
    { path: '/sign-up', title: 'Sign up', action: users.signUp.bind(users) },
  ]) {
    const isNew = path === '/sign-up'
    app.get(path, (req, res) => show(req, res, 'sign', { path, title, isNew }))
    app.post(path, limit, async (req, res) => {
      const { name, password } = credentials(req)
      let problem = isNew ? weakness(name, password) : undefined
      if (problem === undefined) {
        const user = await action(name, password)
        if (user) {
          await signIn(req, user)
          return res.redirect(303, '/')
        }
        problem = isNew ? 'This name is taken.' : 'Name or password is wrong.'
      }
      res.status(isNew ? 422 : 401)
      show(req, res, 'sign', { path, title, isNew, name, problem })
    })
  }

  app.use((req, res, next) => (req.session.user ? next() : res.redirect(303, '/sign-in')))

  app.get('/sessions', async (req, res) => {
    const { sessions } = await store.list({ user: req.session.user!.id })
    const current = store.handle(req.sessionID)
    const listed = sessions
      .map(({ handle, createdAt, session }) => ({
        handle,
        isCurrent: handle === current,
        browser: session.browser ?? 'Unknown browser',
        createdAt: new Date(createdAt),
        seenAt: new Date(session.seenAt ?? createdAt),
      }))
      .sort((a, b) => Number(b.isCurrent) - Number(a.isCurrent) || b.seenAt.getTime() - a.seenAt.getTime())
    show(req, res, 'sessions', { sessions: listed })
  })

  app.post('/sessions/revoke', async (req, res) => {
    // The handle comes from the browser: `user` makes sure that it is one of their own.
    await store.revoke(`${req.body.handle}`, { user: req.session.user!.id })
    res.redirect(303, '/sessions')
  })

  app.post('/sessions/revoke-others', async (req, res) => {
    await store.revokeUser(req.session.user!.id, { except: req.sessionID })
    res.redirect(303, '/sessions')
  })

  app.post('/sign-out', async (req, res) => {
    await new Promise<void>((resolve, reject) =>
      req.session.destroy((error) => (error ? reject(error) : resolve())),
    )
    res.clearCookie('session').redirect(303, '/')
  })

  app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error)
    const { code, statusCode = 500 } = error as { code?: string; statusCode?: number }
    // The cookie's session cannot be read (any more): a new one is all that helps.
    if (['CORRUPT', 'SEAL_BROKEN', 'NOT_SEALED'].includes(code ?? ''))
      return res.clearCookie('session').redirect(303, '/sign-in')
    const isAway = ['UNAVAILABLE', 'TIMEOUT', 'OVERLOADED'].includes(code ?? '')
    const status = isAway ? 503 : statusCode
    if (status >= 500) console.error(error)
    if (isAway) res.set('Retry-After', '5')
    res.status(status).send(pages.render('error', { status, user: undefined }))
  })
  return app
}

/** A new id at each sign-in, so that nobody can plant one beforehand (OWASP: session fixation). */
async function signIn(req: Request, user: User): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    req.session.regenerate((error) => (error ? reject(error) : resolve())),
  )
  req.session.user = user
  req.session.seenAt = Date.now()
  req.session.browser = browserOf(req)
  // Saved before the redirect: the next request must find it.
  await new Promise<void>((resolve, reject) =>
    req.session.save((error) => (error ? reject(error) : resolve())),
  )
}

function browserOf(req: Request): string {
  const agent = req.get('user-agent')
  if (!agent) return 'Unknown browser'
  const { browser, os } = Bowser.parse(agent)
  return [browser.name ?? agent.slice(0, 40), os.name && `on ${os.name}`].filter(Boolean).join(' ')
}

function credentials(req: Request): { name: string; password: string } {
  const { name = '', password = '' } = req.body ?? {}
  return { name: `${name}`.trim().slice(0, 64), password: `${password}`.slice(0, 256) }
}

function weakness(name: string, password: string): string | undefined {
  if (name === '') return 'Choose a name.'
  if (password.length < 8) return 'The password needs at least 8 characters.'
}
