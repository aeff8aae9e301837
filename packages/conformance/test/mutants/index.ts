import type { Mutant } from '../support/reference.ts'
import { bulk, prefixes } from './bulk.ts'
import { callbacks, troubles } from './callbacks.ts'
import { clocks } from './clocks.ts'
import { concurrency } from './concurrency.ts'
import { data } from './data.ts'
import { ended, expiry } from './expiry.ts'
import { frameworks } from './frameworks.ts'
import { http } from './http.ts'
import { ids } from './ids.ts'
import { lifecycle } from './lifecycle.ts'
import { logouts } from './logout.ts'
import { options } from './options.ts'
import { sealed } from './sealed.ts'
import { touches } from './touch.ts'

/** Mutants of the reference store, by the id of the rule that must detect the mutant. */
export const mutants: Readonly<Record<string, Mutant>> = {
  ...callbacks,
  ...troubles,
  ...data,
  ...ids,
  ...expiry,
  ...clocks,
  ...ended,
  ...touches,
  ...concurrency,
  ...logouts,
  ...bulk,
  ...prefixes,
  ...sealed,
  ...options,
  ...lifecycle,
  ...http,
  ...frameworks,
}
