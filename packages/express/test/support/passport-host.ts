import type { RequestListener } from 'node:http'
import type { SessionStore } from '@session-stores/core'
import type express from 'express'
import { Passport } from 'passport'
import { Strategy } from 'passport-local'
import { passportSessions } from '../../src/index.ts'
import { type Gate, handle, makeApp, showErrors, versions } from './site.ts'

declare module 'express-session' {
  interface SessionData {
    messages?: string[]
    returnTo?: string
    role?: string
  }
}

export interface User {
  name: string
}

/** What a test of logins can change while the site runs. */
export interface LoginState {
  /** Holds requests of `/cart?slow=1`. */
  gate?: Gate
  /** Whether users can be serialized. */
  serializes: boolean
}

export interface LoginSite {
  store: SessionStore
  state: LoginState
  keep?: string[]
}

/** A framework with its passport. */
export interface PassportHost {
  name: string
  /** Returns the name of the user who is logged in by a session. */
  userOf(session: object): string | undefined
  /** Whether a logout can keep the session's data where the application asks for that. */
  keepsOnLogout: boolean
  open(site: LoginSite): RequestListener | Promise<RequestListener>
}

export const strategy = (): Strategy =>
  new Strategy((name, password, done) => done(null, password === 'right' && { name }, { message: 'Wrong.' }))

/** What `/cart` does with the session. */
export async function fillCart(
  session: { cart?: string[]; role?: string },
  { item, slow }: { item?: unknown; slow?: unknown },
  state: LoginState,
): Promise<void> {
  if (slow) await state.gate?.pass()
  session.cart = [...(session.cart ?? []), `${item}`]
  session.role = 'planted'
}

/** The error of users that cannot be serialized. */
export const unreachable = (): Error => new Error('the users cannot be reached')

const openOn =
  (make: typeof express): PassportHost['open'] =>
  ({ store, state, keep }) => {
    const passport = new Passport()
    passport.serializeUser((user, done) => {
      if (state.serializes) done(null, (user as User).name)
      else done(unreachable())
    })
    passport.deserializeUser((name: string, done) => done(null, { name }))
    passport.use(strategy())
    passportSessions(passport, keep && { keep })
    const app = makeApp(store, { make })
    app.use(passport.session())
    app.get('/', (req, res) => {
      const user = req.user as User | undefined
      res.json({ user: user?.name ?? null, cart: req.session.cart ?? [] })
    })
    app.post(
      '/cart',
      handle((req) => fillCart(req.session, req.query, state)),
    )
    app.post(
      '/login',
      passport.authenticate('local', { failureMessage: true, failWithError: true }),
      (_req, res) => res.redirect('/'),
    )
    app.post('/login-keeping', passport.authenticate('local', { keepSessionInfo: true }), (_req, res) =>
      res.redirect('/'),
    )
    app.post('/logout', (req, res, next) => req.logOut((error) => (error ? next(error) : res.redirect('/'))))
    app.post('/logout-keeping', (req, res, next) =>
      req.logOut({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect('/'))),
    )
    app.post('/logout-saying', (req, res, next) =>
      req.logOut((error) => {
        req.session.messages = ['Bye.']
        if (error) next(error)
        else res.redirect('/')
      }),
    )
    return showErrors(app)
  }

/** Passport on both versions of Express. */
export const passportHosts: readonly PassportHost[] = versions.map(([name, make]) => ({
  name,
  keepsOnLogout: true,
  userOf: (session) => (session as { passport?: { user?: string } }).passport?.user,
  open: openOn(make),
}))
