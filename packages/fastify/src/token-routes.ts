import { parse as parseForm } from 'node:querystring'
import {
  BODY_LIMIT,
  makeTokenEndpoints,
  type TokenRoutesOptions as OptionsFor,
  unreadableBody,
} from '@session-stores/express/http'
import type { Tokens } from '@session-stores/token'
import type { FastifyError, FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import { FASTIFY } from './framework.ts'
import { send } from './hook.ts'

/** What `tokenRoutes` takes: the tokens, and which routes there are. */
export interface TokenRoutesOptions extends OptionsFor<FastifyRequest> {
  tokens: Tokens
}

/** Options of `register` itself, which Fastify hands on. */
interface RegisterOptions {
  prefix?: string
  logLevel?: unknown
  logSerializers?: unknown
}

/**
 * The plugin with the routes of the tokens. Register it after `sessions`. Its answers are JSON, as
 * OAuth clients expect them, and are never cached. It reads forms without another plugin.
 *
 * @throws TypeError for a wrong option.
 * @example
 * await app.register(tokenRoutes, { tokens })
 */
export const tokenRoutes: FastifyPluginAsync<TokenRoutesOptions> = async (fastify, options) => {
  const {
    tokens,
    prefix: _,
    logLevel: _level,
    logSerializers: _serializers,
    ...routes
  } = options as TokenRoutesOptions & RegisterOptions
  if (typeof tokens?.fromSession !== 'function')
    throw new TypeError("option 'tokens' takes new Tokens({ … }) of @session-stores/token")
  readBodies(fastify)
  for (const { method, path, handle } of makeTokenEndpoints(FASTIFY, tokens, routes))
    fastify.route({
      method,
      url: path,
      bodyLimit: BODY_LIMIT,
      handler: async (request, reply) => send(reply, await handle(request, request.body)),
    })
}

/** Reads JSON and forms in these routes alone, whatever the application reads elsewhere. */
function readBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers()
  const read = (types: string | string[], parse: (text: string) => unknown): void =>
    void fastify.addContentTypeParser(types, { parseAs: 'string' }, (_request, text, parsed) => {
      try {
        parsed(null, parse(text as string))
      } catch (error) {
        parsed(error as Error)
      }
    })
  read('application/json', (text) => (text === '' ? undefined : JSON.parse(text)))
  read('application/x-www-form-urlencoded', (text) => parseForm(text))
  read('*', () => undefined)
  fastify.setErrorHandler((error: FastifyError, _request, reply) => {
    const isOfBody = error instanceof SyntaxError || error.code?.startsWith('FST_ERR_CTP')
    if (!isOfBody) throw error
    return send(reply, unreadableBody(error.statusCode ?? 400))
  })
}
