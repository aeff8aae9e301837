import { bulk } from './bulk.ts'
import { callbacks } from './callbacks.ts'
import { collisions } from './collisions.ts'
import { conflicts } from './conflicts.ts'
import { data } from './data.ts'
import { deadlines } from './deadlines.ts'
import { events } from './events.ts'
import { expiry } from './expiry.ts'
import { formats } from './formats.ts'
import { freshness } from './freshness.ts'
import { gone } from './gone.ts'
import type { Mutant } from './helpers.ts'
import { hostile } from './hostile.ts'
import { httpCookies } from './http-cookies.ts'
import { httpMatrix } from './http-matrix.ts'
import { httpRequests } from './http-requests.ts'
import { ids } from './ids.ts'
import { input } from './input.ts'
import { legacy } from './legacy.ts'
import { order } from './order.ts'
import { peek } from './peek.ts'
import { raceLogout } from './race-logout.ts'
import { regenerate } from './regenerate.ts'
import { revoke } from './revoke.ts'
import { sealing } from './sealing.ts'
import { touch } from './touch.ts'
import { unanswered } from './unanswered.ts'
import { update } from './update.ts'
import { users } from './users.ts'

/** The mutants of stores, by the id of the rule that must find each of them. */
export const mutants: Readonly<Record<string, Mutant>> = {
  ...callbacks,
  ...data,
  ...input,
  ...ids,
  ...gone,
  ...users,
  ...peek,
  ...update,
  ...expiry,
  ...touch,
  ...freshness,
  ...order,
  ...conflicts,
  ...collisions,
  ...revoke,
  ...bulk,
  ...sealing,
  ...formats,
  ...httpMatrix,
  ...httpCookies,
  ...httpRequests,
  ...raceLogout,
  ...unanswered,
  ...hostile,
  ...regenerate,
  ...deadlines,
  ...events,
  ...legacy,
}
