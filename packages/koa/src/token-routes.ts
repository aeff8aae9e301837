import {
  BODY_LIMIT,
  makeTokenEndpoints,
  type TokenRoutesOptions as OptionsFor,
  unreadableBody,
} from '@session-stores/express/http'
import type { Tokens } from '@session-stores/token'
import { form, json } from 'co-body'
import type { Middleware, ParameterizedContext } from 'koa'
import { send } from './answers.ts'
import { KOA } from './framework.ts'

/** What `tokenRoutes` takes: which routes there are. */
export type TokenRoutesOptions = OptionsFor<ParameterizedContext>

/**
 * Returns middleware that serves the routes of the tokens. Mount it after `sessions`. Its answers are
 * JSON, as OAuth clients expect them, and are never cached. It needs no parser for bodies.
 *
 * @throws TypeError for a wrong option.
 * @example
 * app.use(tokenRoutes(tokens))
 */
export function tokenRoutes(tokens: Tokens, options: TokenRoutesOptions = {}): Middleware {
  const endpoints = makeTokenEndpoints(KOA, tokens, options)
  return async (ctx, next) => {
    const method = ctx.method === 'HEAD' ? 'GET' : ctx.method
    const endpoint = endpoints.find((each) => each.path === ctx.path && each.method === method)
    if (endpoint === undefined) return next()
    const body = endpoint.method === 'POST' ? await readBody(ctx) : undefined
    if (body instanceof UnreadableBody) send(ctx, unreadableBody(body.status))
    else send(ctx, await endpoint.handle(ctx, body))
  }
}

class UnreadableBody {
  readonly status: number

  constructor(status: number) {
    this.status = status
  }
}

/** Returns the body as the application's own parser left it, or reads it. */
async function readBody(ctx: ParameterizedContext): Promise<unknown> {
  const { body } = ctx.request as { body?: unknown }
  if (body !== undefined) return body
  const read = { json, urlencoded: form }[ctx.is('json', 'urlencoded') || '']
  return read?.(ctx.req, { limit: BODY_LIMIT }).catch((error: { status?: number }) => {
    if (typeof error.status !== 'number') throw error
    return new UnreadableBody(error.status)
  })
}
