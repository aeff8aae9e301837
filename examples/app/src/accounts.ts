import Bowser from 'bowser'
import { type Request, type Response, Router } from 'express'
import { type AugmentedRequest, MemoryStore, rateLimit } from 'express-rate-limit'
import { findNameProblem, findProblem, readCredentials } from './credentials.ts'
import { Refusal } from './errors.ts'
import type { Show } from './pages.ts'
import type { User, Users } from './users.ts'

const MINUTE = 60_000

export interface AccountOptions {
  users: Users
  /** Tries to sign in or to sign up from one address per minute. */
  triesPerAddress: number
  /** Wrong passwords for one name per 15 minutes, from any address. */
  triesPerName: number
  show: Show
}

/** Returns the routes to sign up and to sign in. */
export function makeAccountRoutes({ users, triesPerAddress, triesPerName, show }: AccountOptions): Router {
  const routes = Router()
  const limitAddress = rateLimit({
    windowMs: MINUTE,
    limit: triesPerAddress,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: refuseTry,
  })
  const tries = new MemoryStore()
  // A try counts before its password is compared. Otherwise many parallel tries would pass, and
  // a client could hide a wrong try by closing the connection early.
  const limitName = rateLimit({
    windowMs: 15 * MINUTE,
    limit: triesPerName,
    store: tries,
    keyGenerator: keyOfName,
    // A header with the remaining tries would reveal when the owner of the name signs in.
    standardHeaders: false,
    legacyHeaders: false,
    handler: refuseTry,
  })

  const signInPage = { path: '/sign-in', title: 'Sign in', isNew: false }
  const signUpPage = { path: '/sign-up', title: 'Sign up', isNew: true }
  for (const page of [signInPage, signUpPage])
    routes.get(page.path, (req, res) => show(req, res, 'sign', page))

  routes.post('/sign-in', limitAddress, limitName, async (req, res) => {
    const credentials = readCredentials(req.body)
    const user = await users.signIn(credentials).catch(async (error) => {
      // The password was not compared, so the request was not a try.
      await tries.decrement(keyOfName(req))
      throw error
    })
    if (user) {
      await tries.resetKey(keyOfName(req))
      await startSession(req, user)
      return res.redirect(303, '/')
    }
    res.status(401)
    show(req, res, 'sign', { ...signInPage, name: credentials.name, problem: 'Name or password is wrong.' })
  })

  routes.post('/sign-up', limitAddress, async (req, res) => {
    const credentials = readCredentials(req.body)
    let problem = findProblem(credentials)
    if (!problem) {
      const user = await users.signUp(credentials)
      if (user) {
        await startSession(req, user)
        return res.redirect(303, '/')
      }
      problem = 'This name is taken.'
    }
    res.status(422)
    show(req, res, 'sign', { ...signUpPage, name: credentials.name, problem })
  })
  return routes
}

/**
 * Returns the key for the tries of a name. All spellings of a name share a key, and so do all names
 * that nobody can sign up with.
 */
function keyOfName(req: Request): string {
  const { name } = readCredentials(req.body)
  return findNameProblem(name) ? '' : name.toLowerCase()
}

function refuseTry(req: Request, _res: Response, next: (refusal: Refusal) => void): void {
  const { resetTime = new Date() } = (req as AugmentedRequest).rateLimit!
  const seconds = Math.ceil((resetTime.getTime() - Date.now()) / 1000)
  next(
    new Refusal({
      status: 429,
      title: 'Too many tries',
      advice: 'Wait for some minutes, then try again.',
      retryAfter: Math.max(1, seconds),
    }),
  )
}

/**
 * Starts a session under a new id, because somebody may have planted the old one (session
 * fixation).
 */
async function startSession(req: Request, user: User): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    req.session.regenerate((error) => (error ? reject(error) : resolve())),
  )
  req.session.user = user
  req.session.seenAt = Date.now()
  req.session.browser = describeBrowser(req)
  // The session is saved before the redirect because the next request must find it.
  await new Promise<void>((resolve, reject) =>
    req.session.save((error) => (error ? reject(error) : resolve())),
  )
}

function describeBrowser(req: Request): string {
  const agent = req.get('user-agent')
  if (!agent) return 'Unknown browser'
  const { browser, os } = Bowser.parse(agent)
  return [browser.name ?? agent.slice(0, 40), os.name && `on ${os.name}`].filter(Boolean).join(' ')
}
