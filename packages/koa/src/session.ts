import {
  endSession,
  findPreset,
  type HttpMiddleware,
  type HttpRequest,
  isCookieLost,
  withPromises,
} from '@session-stores/express/http'
import type { Middleware, ParameterizedContext } from 'koa'
import { expose } from './answers.ts'

/** Turns a middleware of express-session into one of Koa, which sets `ctx.session`. */
export function mount(middleware: HttpMiddleware): Middleware {
  return async (ctx, next) => {
    refuseOther(ctx)
    const req = ctx.req as HttpRequest
    req.secure = ctx.secure
    await load(middleware, ctx)
    const endings: Promise<void>[] = []
    Object.defineProperty(ctx, 'session', {
      configurable: true,
      enumerable: true,
      get: () => withPromises(req) ?? null,
      set: (value: unknown) => {
        if (value !== null)
          throw new TypeError('ctx.session takes null, which ends the session; to change it, set its keys')
        if (req.session == null) return
        const ending = endSession(req, req.session)
        // It is waited for below. Until then, its failure is not one that nobody handles.
        ending.catch(() => {})
        endings.push(ending)
      },
    })
    try {
      await next()
    } finally {
      await Promise.all(endings)
    }
    if (ctx.respond !== false) refuseLostCookie(ctx, req)
  }
}

/** Waits until express-session has read the session. */
function load(middleware: HttpMiddleware, ctx: ParameterizedContext): Promise<void> {
  return new Promise((resolve, reject) => {
    let isLoading = true
    middleware(ctx.req as HttpRequest, ctx.res, (error) => {
      // A save that fails at the end of the answer is told by a second call.
      if (!isLoading) return error && ctx.app.emit('error', error, ctx)
      isLoading = false
      if (error) reject(expose(error))
      else resolve()
    })
  })
}

/** @throws TypeError where something else has set `ctx.session`. */
function refuseOther(ctx: ParameterizedContext): void {
  if (findPreset(ctx.req as HttpRequest))
    throw new TypeError('sessions() is mounted twice: mount it once, before what uses ctx.session')
  if ('session' in ctx)
    throw new TypeError(
      'ctx.session belongs to another middleware, such as koa-session: use either that or sessions()',
    )
}

/** Answers before a stream begins, which express-session would see only at its end. */
function refuseLostCookie(ctx: ParameterizedContext, req: HttpRequest): void {
  const preset = findPreset(req)
  if (preset === undefined || !isCookieLost(req, preset)) return
  // Nothing is stored without a session.
  req.session = undefined as never
  ctx.status = 500
  ctx.set('Cache-Control', 'no-store')
  ctx.type = 'text'
  ctx.body = `${preset.insecure}\n`
}
