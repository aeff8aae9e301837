// Applications of Koa and Fastify in ES modules that have installed the published packages.
import assert from 'node:assert'
import { randomBytes } from 'node:crypto'
import { memoryDriver, SessionStore } from '@session-stores/core'
import * as onFastify from '@session-stores/fastify'
import * as onKoa from '@session-stores/koa'
import { Tokens } from '@session-stores/token'
import fastify from 'fastify'
import Koa from 'koa'
import { names } from './frameworks-commonjs.cjs'

declare module 'express-session' {
  interface SessionData {
    userId?: string
  }
}

const secret = randomBytes(32).toString('base64url')
const store = new SessionStore(memoryDriver(), { user: ({ userId }) => userId })
const tokens = new Tokens({ store, issuer: 'me', audience: 'me', secret })
const koa = new Koa()
koa.use(onKoa.sessions({ store, secret })).use(onKoa.sameOrigin()).use(onKoa.tokenRoutes(tokens))
koa.use(onKoa.authenticate(tokens)).use(async (ctx) => {
  ctx.body = [ctx.session.userId, ctx.state.auth?.user]
  await ctx.session.regenerate(['userId'])
  // @ts-expect-error: a misspelt method
  void ctx.session.regenrate
  ctx.session = null
})
const server = fastify()
await server.register(onFastify.sessions, { store, secret })
await server.register(onFastify.tokenRoutes, { tokens })
server.get('/', { onRequest: onFastify.authenticate(tokens) }, async (request) => {
  await request.session.save()
  return [request.session.userId, request.session.get('userId')?.length, request.auth?.user]
})
assert.equal((await server.inject('/')).statusCode, 401)
await server.close()
tokens.close()
assert.deepEqual(names, [
  'authenticate',
  'passportSessions',
  'sameOrigin',
  'sessions',
  'signIn',
  'signOut',
  'tokenRoutes',
])
console.log('frameworks: ok')
