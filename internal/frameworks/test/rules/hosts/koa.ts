import { type Host, WHOLE_ANSWER } from '@session-stores/conformance/sites'
import type { HttpMiddleware } from '@session-stores/express/http'
import session from 'express-session'
import type Koa from 'koa'
import { mount } from '../../../../../packages/koa/src/session.ts'
import { Answer, textOf, toRequest } from './answers.ts'

/** Makes a host of some version of Koa, for rules that choose the options of express-session. */
export const makeKoaHost =
  (make: typeof Koa): Host =>
  (settings, answer) => {
    const app = new make()
    // Koa would print the errors, and the rules judge them already.
    app.silent = true
    app.use(async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        ctx.status = 500
        ctx.body = textOf(error)
      }
    })
    app.use(mount(session(settings) as unknown as HttpMiddleware))
    app.use(async (ctx) => {
      const answered = new Answer()
      const place = {
        raw: ctx.req,
        get session() {
          return ctx.session
        },
        set session(value) {
          ctx.session = value
        },
      }
      await answer(toRequest(place), answered as never)
      ctx.body = answered.body ?? WHOLE_ANSWER
    })
    return app.callback()
  }
