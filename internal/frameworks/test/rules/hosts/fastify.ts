import type { RequestListener } from 'node:http'
import { type Host, WHOLE_ANSWER } from '@session-stores/conformance/sites'
import type { HttpMiddleware } from '@session-stores/express/http'
import session from 'express-session'
import fastify from 'fastify'
import { mount } from '../../../../../packages/fastify/src/session.ts'
import { Answer, textOf, toRequest } from './answers.ts'

/** A host of Fastify, for rules that choose the options of express-session. */
export const fastifyHost: Host = async (settings, answer) => {
  const app = fastify()
  app.setErrorHandler((error, _request, reply) => reply.code(500).send(textOf(error)))
  mount(app, session(settings) as unknown as HttpMiddleware)
  app.all('/*', async (request) => {
    const answered = new Answer()
    const place = {
      raw: request.raw,
      get session() {
        return request.session
      },
      set session(value) {
        request.session = value
      },
    }
    await answer(toRequest(place), answered as never)
    return answered.body ?? WHOLE_ANSWER
  })
  await app.ready()
  return app.routing as RequestListener
}
