import { passportSessions } from '@session-stores/express'
import type { Request, Response } from 'express'
import { Passport } from 'passport'
import { Strategy } from 'passport-local'
import { readCredentials } from './credentials.ts'
import type { User, Users } from './users.ts'

declare global {
  namespace Express {
    interface User {
      id: string
      name: string
    }
  }
}

export type AppPassport = InstanceType<typeof Passport>

/** Returns Passport with sign-in by name and password, and with safe logins and logouts. */
export function makePassport(users: Users): AppPassport {
  const passport = new Passport()
  passport.serializeUser((user, done) => done(null, user.id))
  // `false` signs out a user who does not exist any more.
  passport.deserializeUser((id: string, done) => done(null, users.find(id) ?? false))
  passport.use(
    new Strategy({ usernameField: 'name' }, (name, password, done) => {
      users.signIn(readCredentials({ name, password })).then((user) => done(null, user ?? false), done)
    }),
  )
  passportSessions(passport)
  return passport
}

/** Returns the user whose name and password the request has, or `undefined`. */
export function findUser(passport: AppPassport, req: Request, res: Response): Promise<User | undefined> {
  return new Promise((resolve, reject) => {
    const done = (error: unknown, user: User | false) => (error ? reject(error) : resolve(user || undefined))
    passport.authenticate('local', done)(req, res, reject)
  })
}

/** Signs the user in, under a new session id. The session is stored when the promise resolves. */
export function logIn(req: Request, user: User): Promise<void> {
  return new Promise((resolve, reject) => {
    req.logIn(user, (error: unknown) => (error ? reject(error) : resolve()))
  })
}
