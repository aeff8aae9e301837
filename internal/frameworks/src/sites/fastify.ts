import type { RequestListener } from 'node:http'
import cookie from '@fastify/cookie'
import type { HttpRequest } from '@session-stores/express/http'
import { authenticate, sameOrigin, sessions, signIn, signOut, tokenRoutes } from '@session-stores/fastify'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Host, Visit } from '../../../../packages/express/test/support/host.ts'
import { toApiAnswer } from '../../../../packages/express/test/support/host.ts'
import { SECRET } from '../../../../packages/express/test/support/site.ts'

/** Answers errors with status and code, as the sites on Express do. */
export function showErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    const { status, statusCode, headers = {}, code, name } = error as Error & Record<string, never>
    return reply
      .code(status ?? statusCode ?? 500)
      .headers(headers)
      .send({ code: code ?? name })
  })
}

/** Reads the forms of the tests' browsers. */
export const readForms = (app: FastifyInstance): void =>
  void app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(body as string))),
  )

/** Returns what serves the requests of an application. */
export async function listen(app: FastifyInstance): Promise<RequestListener> {
  await app.ready()
  return app.routing as RequestListener
}

const open: Host['open'] = async ({
  store,
  preset,
  trustsProxy = true,
  checksOrigin = {},
  routes = {},
  tokens,
  ...more
}) => {
  const app = fastify({ trustProxy: trustsProxy })
  app.addHttpMethod('PURGE')
  if (!more.leavesErrors) showErrors(app)
  readForms(app)
  await app.register(cookie)
  if (store) await app.register(sessions, { store, secret: SECRET, ...preset })
  if (checksOrigin) app.addHook('onRequest', sameOrigin(checksOrigin))
  if (tokens) {
    const { introspect, ...others } = more.tokenRoutes ?? {}
    await app.register(tokenRoutes, {
      tokens,
      ...others,
      ...(introspect && { introspect: ({ raw }) => introspect(raw as HttpRequest) }),
    })
    app.all('/api', { onRequest: authenticate(tokens, more.api) }, async ({ auth }) => toApiAnswer(auth))
  }
  for (const [route, act] of Object.entries(routes)) {
    const [method, url] = route.split(' ') as [string, string]
    app[method.toLowerCase() as 'get'](url, async (request, reply) => {
      return (await act(toVisit(request, reply))) ?? {}
    })
  }
  return listen(app)
}

const toVisit = (request: FastifyRequest, reply: FastifyReply): Visit => ({
  query: request.query as Visit['query'],
  raw: request.raw as HttpRequest,
  get session() {
    return request.session as never
  },
  set session(value) {
    request.session = value as never
  },
  setCookie: (name, value) => void reply.setCookie(name, value),
  signIn: (data, options) => signIn(request, data, options),
  signOut: (options) => signOut(request, reply, options),
})

export const fastifySite: Host = { name: 'Fastify 5', trustProxy: 'fastify({ trustProxy: true })', open }
