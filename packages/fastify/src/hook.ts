import type { JsonAnswer } from '@session-stores/express/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A hook for `onRequest`, of the application or of one route. */
export type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void

export const send = (reply: FastifyReply, { status, headers, body }: JsonAnswer): FastifyReply =>
  reply.code(status).headers(headers).send(body)
