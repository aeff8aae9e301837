// The same packages in CommonJS, in the same program.
import fastify = require('@session-stores/fastify')
import koa = require('@session-stores/koa')

export const names: string[] = Object.keys(koa)
  .filter((name) => name in fastify)
  .sort()
