import type { RequestListener } from 'node:http'
import type { Host } from '@session-stores/conformance/sites'
import type { HttpMiddleware } from '@session-stores/express/http'
import session from 'express-session'
import fastify from 'fastify'
import { mount } from '../../../../../packages/fastify/src/session.ts'
import { handle, textOf } from './answers.ts'

/** A host of Fastify, for rules that choose the options of express-session. */
export const fastifyHost: Host = async (settings, answer) => {
  const app = fastify()
  app.setErrorHandler((error, _request, reply) => reply.code(500).send(textOf(error)))
  mount(app, session(settings) as unknown as HttpMiddleware)
  app.all('/*', (request) => handle(answer, request.raw, request))
  await app.ready()
  return app.routing as RequestListener
}
