import type { Rule } from './rule.ts'
import { frameworks } from './rules/frameworks.ts'
import { http } from './rules/http.ts'
import { touches } from './rules/touch.ts'

/** Every rule for any express-session store, in the order of the reports. */
export const rules: readonly Rule[] = [...touches, ...http, ...frameworks]
