import { type Request, type Response, Router } from 'express'
import { findProblem, readCredentials } from './credentials.ts'
import type { Limits } from './limits.ts'
import { show } from './pages.ts'
import { type AppPassport, findUser, logIn } from './passport.ts'
import type { User, Users } from './users.ts'

export interface AccountOptions {
  users: Users
  passport: AppPassport
  limits: Limits
}

/** Returns the routes to sign up and to sign in. */
export function makeAccountRoutes({ users, passport, limits }: AccountOptions): Router {
  const routes = Router()
  const signInPage = { path: '/sign-in', title: 'Sign in', isNew: false }
  const signUpPage = { path: '/sign-up', title: 'Sign up', isNew: true }
  for (const page of [signInPage, signUpPage])
    routes.get(page.path, (req, res) => show(req, res, 'sign', page))

  routes.post('/sign-in', limits.address, limits.name, async (req, res) => {
    const user = await findUser(passport, req, res).catch(async (error) => {
      await limits.undo(req)
      throw error
    })
    if (user) {
      await limits.succeed(req)
      return welcome(req, res, user)
    }
    const { name } = readCredentials(req.body)
    res.status(401)
    show(req, res, 'sign', {
      ...signInPage,
      name,
      problem: 'Name or password is wrong.',
      field: name === '' ? 'name' : 'password',
    })
  })

  routes.post('/sign-up', limits.address, async (req, res) => {
    const credentials = readCredentials(req.body)
    let problem = findProblem(credentials)
    if (!problem) {
      const user = await users.signUp(credentials)
      if (user) return welcome(req, res, user)
      problem = { field: 'name', problem: 'This name is taken.' }
    }
    res.status(422)
    show(req, res, 'sign', { ...signUpPage, name: credentials.name, ...problem })
  })
  return routes
}

async function welcome(req: Request, res: Response, user: User): Promise<void> {
  await logIn(req, user)
  res.redirect(303, '/')
}
