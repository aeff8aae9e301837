import type { Framework, HttpRequest } from '@session-stores/express/http'
import type { FastifyRequest } from 'fastify'

/** Fastify, as the code that all frameworks share sees it. */
export const FASTIFY: Framework<FastifyRequest> = {
  rawOf: (request) => request.raw as HttpRequest,
  hostOf: (request) => request.host,
  trustProxy: 'fastify({ trustProxy: true })',
  signOut: 'signOut(request, reply)',
}
