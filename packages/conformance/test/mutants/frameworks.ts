import type { Mutant } from '../support/reference.ts'
import { changeCookie, forgets, keepsDestroyed } from './shared.ts'

export const frameworks: Readonly<Record<string, Mutant>> = {
  'fastify/keeps-the-session': forgets,
  'fastify/logout-is-final': keepsDestroyed,
  'fastify/renewal-changes-the-id': keepsDestroyed,
  'fastify/idle-session-ends': changeCookie(() => ({ expires: null, originalMaxAge: null })),
  'koa/keeps-the-session': forgets,
  'koa/logout-is-final': keepsDestroyed,
  'koa/renewal-changes-the-id': keepsDestroyed,
  'passport/login-lasts': forgets,
}
