import type { JsonAnswer } from '@session-stores/express/http'
import { TokenError } from '@session-stores/token'
import type { ParameterizedContext } from 'koa'

export function send(ctx: ParameterizedContext, { status, headers, body }: JsonAnswer): void {
  ctx.status = status
  ctx.set(headers)
  ctx.body = body ?? ''
}

/** Koa logs errors whose message it does not show. Those of a client are no errors of the server. */
export function expose(error: unknown): unknown {
  if (error instanceof TokenError && error.status < 500) Object.assign(error, { expose: true })
  return error
}
