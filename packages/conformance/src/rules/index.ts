import type { Rule } from '../engine/rule.ts'
import { all } from './all.ts'
import { bulk } from './bulk.ts'
import { callbacks } from './callbacks.ts'
import { clocks } from './clocks.ts'
import { collisions } from './collisions.ts'
import { concurrency } from './concurrency.ts'
import { data } from './data.ts'
import { database } from './database.ts'
import { ended } from './ended.ts'
import { expiry } from './expiry.ts'
import { frameworks } from './frameworks.ts'
import { http } from './http.ts'
import { ids } from './ids.ts'
import { lifecycle } from './lifecycle.ts'
import { lives } from './lives.ts'
import { logouts } from './logout.ts'
import { prefixes } from './prefixes.ts'
import { prune } from './prune.ts'
import { sealed } from './sealed.ts'
import { touches } from './touch.ts'
import { touchesAlone } from './touch-alone.ts'
import { touchOptions } from './touch-options.ts'
import { troubles } from './troubles.ts'
import { ttl } from './ttl.ts'

/** Every rule for any express-session store, in the order of the reports. */
export const rules: readonly Rule[] = [
  ...callbacks,
  ...troubles,
  ...data,
  ...ids,
  ...expiry,
  ...ttl,
  ...lives,
  ...clocks,
  ...ended,
  ...touches,
  ...touchesAlone,
  ...touchOptions,
  ...concurrency,
  ...collisions,
  ...logouts,
  ...all,
  ...bulk,
  ...prefixes,
  ...sealed,
  ...database,
  ...prune,
  ...lifecycle,
  ...http,
  ...frameworks,
]
