import type { Tokens } from '@session-stores/token'
import express, { type ErrorRequestHandler, type Request, type Router } from 'express'
import { send } from './answers.ts'
import { EXPRESS } from './framework.ts'
import {
  BODY_LIMIT,
  makeTokenEndpoints,
  type TokenRoutesOptions as OptionsFor,
  unreadableBody,
} from './http/token-endpoints.ts'

/** What `tokenRoutes` takes: which routes there are. */
export type TokenRoutesOptions = OptionsFor<Request>

/**
 * Returns a router with the routes of the tokens. Mount it after `sessions`. Its answers are JSON,
 * as OAuth clients expect them, and are never cached.
 *
 * @throws TypeError for a wrong option.
 * @example
 * app.use(tokenRoutes(tokens))
 */
export function tokenRoutes(tokens: Tokens, options: TokenRoutesOptions = {}): Router {
  const router = express.Router()
  const parsers = [
    express.json({ limit: BODY_LIMIT }),
    express.urlencoded({ extended: false, limit: BODY_LIMIT }),
  ]
  for (const { method, path, handle } of makeTokenEndpoints(EXPRESS, tokens, options))
    router[method === 'GET' ? 'get' : 'post'](
      path,
      ...(method === 'GET' ? [] : parsers),
      // Express 4 does not wait for promises.
      (req, res, next) => void handle(req, req.body).then((answer) => send(res, answer), next),
    )
  router.use(refuseBody)
  return router
}

/** The parsers of Express refuse bodies that they cannot read or that are too large. */
const refuseBody: ErrorRequestHandler = (error: { status?: number; type?: string }, _req, res, next) => {
  const isOfBody = typeof error?.type === 'string' && /^(entity|encoding|charset|request)\./.test(error.type)
  if (!isOfBody || res.headersSent) next(error)
  else send(res, unreadableBody(error.status ?? 400))
}
