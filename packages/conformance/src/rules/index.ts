import type { Rule } from '../engine/rule.ts'
import { all } from './all.ts'
import { callbacks } from './callbacks.ts'
import { clear } from './clear.ts'
import { clocks } from './clocks.ts'
import { close } from './close.ts'
import { collisions } from './collisions.ts'
import { concurrency } from './concurrency.ts'
import { cookie } from './cookie.ts'
import { copies } from './copies.ts'
import { corrupt } from './corrupt.ts'
import { data } from './data.ts'
import { destroy } from './destroy.ts'
import { ended } from './ended.ts'
import { expiry } from './expiry.ts'
import { fastify } from './fastify.ts'
import { http } from './http.ts'
import { ids } from './ids.ts'
import { koa } from './koa.ts'
import { length } from './length.ts'
import { outage } from './outage.ts'
import { passport } from './passport.ts'
import { prefix } from './prefix.ts'
import { prune } from './prune.ts'
import { regenerate } from './regenerate.ts'
import { sealed } from './sealed.ts'
import { start } from './start.ts'
import { store } from './store.ts'
import { table } from './table.ts'
import { timeZone } from './time-zone.ts'
import { touch } from './touch.ts'
import { touchAfter } from './touch-after.ts'
import { touchAlone } from './touch-alone.ts'
import { touchDisabled } from './touch-disabled.ts'
import { ttl } from './ttl.ts'
import { ttlFunction } from './ttl-function.ts'

/**
 * Every rule for express-session stores, in the order of reports. The ids of the rules in a file
 * begin with the name of the file.
 */
export const rules: readonly Rule[] = [
  ...callbacks,
  ...corrupt,
  ...outage,
  ...data,
  ...copies,
  ...ids,
  ...expiry,
  ...ttl,
  ...ttlFunction,
  ...ended,
  ...clocks,
  ...touch,
  ...touchAlone,
  ...touchAfter,
  ...touchDisabled,
  ...concurrency,
  ...collisions,
  ...destroy,
  ...regenerate,
  ...all,
  ...length,
  ...clear,
  ...prefix,
  ...sealed,
  ...timeZone,
  ...table,
  ...prune,
  ...start,
  ...store,
  ...close,
  ...http,
  ...cookie,
  ...fastify,
  ...koa,
  ...passport,
]
