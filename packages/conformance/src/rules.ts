import type { Rule } from './rule.ts'
import { all } from './rules/all.ts'
import { bulk } from './rules/bulk.ts'
import { callbacks } from './rules/callbacks.ts'
import { clocks } from './rules/clocks.ts'
import { collisions } from './rules/collisions.ts'
import { concurrency } from './rules/concurrency.ts'
import { data } from './rules/data.ts'
import { database } from './rules/database.ts'
import { ended } from './rules/ended.ts'
import { expiry } from './rules/expiry.ts'
import { frameworks } from './rules/frameworks.ts'
import { http } from './rules/http.ts'
import { ids } from './rules/ids.ts'
import { lifecycle } from './rules/lifecycle.ts'
import { lives } from './rules/lives.ts'
import { logouts } from './rules/logout.ts'
import { prefixes } from './rules/prefixes.ts'
import { prune } from './rules/prune.ts'
import { sealed } from './rules/sealed.ts'
import { touches } from './rules/touch.ts'
import { touchesAlone } from './rules/touch-alone.ts'
import { touchOptions } from './rules/touch-options.ts'
import { troubles } from './rules/troubles.ts'
import { ttl } from './rules/ttl.ts'

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
