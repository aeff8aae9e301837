import type { Host } from '@session-stores/conformance/sites'
import type { HttpMiddleware } from '@session-stores/express/http'
import session from 'express-session'
import type Koa from 'koa'
import { mount } from '../../../../../packages/koa/src/session.ts'
import { handle, textOf } from './answers.ts'

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
      ctx.body = await handle(answer, ctx.req, ctx)
    })
    return app.callback()
  }
