import { makeMiddleware, type SessionsOptions } from '@session-stores/express/http'
import type { FastifyPluginAsync } from 'fastify'
import plugin from 'fastify-plugin'
import { FASTIFY } from './framework.ts'
import { mount } from './session.ts'

const register: FastifyPluginAsync<SessionsOptions> = async (fastify, options) =>
  mount(fastify, makeMiddleware(FASTIFY, options))

/**
 * The plugin that sets `request.session`, with safe settings: a cookie that is `__Host-`, `Secure`,
 * `HttpOnly` and `SameSite`, no row for visitors without data, no second save. The session is
 * stored before the answer ends. express-session does the work underneath.
 *
 * @throws TypeError for a weak, wrong or unknown option, with what to write instead.
 * @example
 * const app = fastify({ trustProxy: true })
 * await app.register(sessions, { store, secret: process.env.SESSION_SECRET })
 */
export const sessions: FastifyPluginAsync<SessionsOptions> = plugin(register, {
  fastify: '5.x',
  name: '@session-stores/fastify',
})
