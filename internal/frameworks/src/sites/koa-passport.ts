import { parse } from 'node:querystring'
import { text } from 'node:stream/consumers'
import { passportSessions, sessions } from '@session-stores/koa'
import Koa, { type Context } from 'koa'
import { KoaPassport } from 'koa-passport'
import {
  fillCart,
  type LoginSite,
  type PassportHost,
  strategy,
  type User,
  unreachable,
} from '../../../../packages/express/test/support/passport-host.ts'
import { SECRET } from '../../../../packages/express/test/support/site.ts'
import { showErrors } from './koa.ts'

type Route = (ctx: Context) => unknown

const open: PassportHost['open'] = ({ store, state, keep }: LoginSite) => {
  const passport = new KoaPassport()
  passport.serializeUser((user, done) => {
    if (state.serializes) done(null, (user as User).name)
    else done(unreachable())
  })
  passport.deserializeUser((name: string, done) => done(null, { name }))
  passport.use(strategy())
  passportSessions(passport, keep && { keep })

  const toStart: Route = (ctx) => ctx.redirect('/')
  const logIn =
    (options: object): Route =>
    (ctx) =>
      passport.authenticate('local', options as never)(ctx as never, async () => toStart(ctx))
  const routes: Readonly<Record<string, Route>> = {
    'GET /': (ctx) => {
      const user = ctx.state.user as User | undefined
      ctx.body = { user: user?.name ?? null, cart: ctx.session.cart ?? [] }
    },
    'POST /cart': async (ctx) => {
      await fillCart(ctx.session, ctx.query, state)
      ctx.body = {}
    },
    'POST /login': logIn({ failureMessage: true, failWithError: true }),
    'POST /login-keeping': logIn({ keepSessionInfo: true }),
    'POST /logout': async (ctx) => {
      await ctx.logout()
      toStart(ctx)
    },
    'POST /logout-keeping': async (ctx) => {
      // The types of koa-passport are older than this option.
      await (ctx.logout as (options: object) => Promise<void>)({ keepSessionInfo: true })
      toStart(ctx)
    },
    'POST /logout-saying': async (ctx) => {
      await ctx.logout()
      ctx.session.messages = ['Bye.']
      toStart(ctx)
    },
  }
  const app = new Koa()
  app.proxy = true
  app.silent = true
  app.use(showErrors)
  app.use(sessions({ store, secret: SECRET }))
  app.use(async (ctx, next) => {
    if (ctx.method === 'POST') Object.assign(ctx.request, { body: parse(await text(ctx.req)) })
    return next()
  })
  app.use(passport.initialize())
  app.use(passport.session())
  app.use((ctx) => routes[`${ctx.method} ${ctx.path}`]?.(ctx as Context))
  return app.callback()
}

/** koa-passport, with the safe logins of the Koa package. */
export const koaPassport: PassportHost = {
  name: 'Koa 3',
  keepsOnLogout: true,
  userOf: (session) => (session as { passport?: { user?: string } }).passport?.user,
  open,
}
