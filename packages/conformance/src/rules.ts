import type { Rule } from './rule.ts'
import { bulk } from './rules/bulk.ts'
import { concurrency } from './rules/concurrency.ts'
import { ended } from './rules/ended.ts'
import { expiry } from './rules/expiry.ts'
import { frameworks } from './rules/frameworks.ts'
import { http } from './rules/http.ts'
import { lifecycle } from './rules/lifecycle.ts'
import { logouts } from './rules/logout.ts'
import { prefixes } from './rules/prefixes.ts'
import { touches } from './rules/touch.ts'

/** Every rule for any express-session store, in the order of the reports. */
export const rules: readonly Rule[] = [
  ...expiry,
  ...ended,
  ...touches,
  ...concurrency,
  ...logouts,
  ...bulk,
  ...prefixes,
  ...lifecycle,
  ...http,
  ...frameworks,
]
