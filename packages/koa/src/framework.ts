import type { Framework, HttpRequest } from '@session-stores/express/http'
import type { ParameterizedContext } from 'koa'

/** Koa, as the code that all frameworks share sees it. */
export const KOA: Framework<ParameterizedContext> = {
  rawOf: (ctx) => ctx.req as HttpRequest,
  hostOf: (ctx) => ctx.host,
  trustProxy: 'app.proxy = true',
  signOut: 'signOut(ctx)',
}
