import type { HttpRequest } from '@session-stores/express/http'
import { authenticate, sameOrigin, sessions, signIn, signOut, tokenRoutes } from '@session-stores/koa'
import Koa, { type Context, type Middleware } from 'koa'
import Koa2 from 'koa-2'
import type { Host, Visit } from '../../../../packages/express/test/support/host.ts'
import { toApiAnswer } from '../../../../packages/express/test/support/host.ts'
import { SECRET } from '../../../../packages/express/test/support/site.ts'

/** Answers errors with status and code, as the sites on Express do. */
export const showErrors: Middleware = async (ctx, next) => {
  try {
    await next()
  } catch (error) {
    const { status = 500, headers = {}, code, name } = error as Error & Record<string, never>
    ctx.status = status
    ctx.set(headers)
    ctx.body = { code: code ?? name }
  }
}

const openOn =
  (make: typeof Koa): Host['open'] =>
  ({ store, preset, trustsProxy = true, checksOrigin = {}, routes = {}, tokens, ...more }) => {
    const app = new make()
    app.proxy = trustsProxy
    app.silent = true
    if (!more.leavesErrors) app.use(showErrors)
    if (store) app.use(sessions({ store, secret: SECRET, ...preset }))
    if (checksOrigin) app.use(sameOrigin(checksOrigin))
    if (tokens) {
      const { introspect, ...others } = more.tokenRoutes ?? {}
      app.use(
        tokenRoutes(tokens, {
          ...others,
          ...(introspect && { introspect: (ctx) => introspect(ctx.req as HttpRequest) }),
        }),
      )
      const identify = authenticate(tokens, more.api)
      app.use((ctx, next) => {
        if (ctx.path !== '/api') return next()
        return identify(ctx, async () => {
          ctx.body = toApiAnswer(ctx.state.auth)
        })
      })
    }
    app.use(async (ctx) => {
      const act = routes[`${ctx.method} ${ctx.path}`] ?? routes[`ALL ${ctx.path}`]
      if (act) ctx.body = (await act(toVisit(ctx as Context))) ?? {}
    })
    return app.callback()
  }

const toVisit = (ctx: Context): Visit => ({
  query: ctx.query,
  raw: ctx.req as HttpRequest,
  get session() {
    return ctx.session as never
  },
  set session(value) {
    ctx.session = value as never
  },
  setCookie: (name, value) => void ctx.cookies.set(name, value),
  signIn: (data, options) => signIn(ctx, data, options),
  signOut: (options) => signOut(ctx, options),
})

const trustProxy = 'app.proxy = true'

export const koaSites: readonly Host[] = [
  { name: 'Koa 3', trustProxy, open: openOn(Koa) },
  { name: 'Koa 2', trustProxy, open: openOn(Koa2) },
]
