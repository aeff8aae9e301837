import type { Rule } from '../engine/rule.ts'
import { withKoa } from '../sites/koa.ts'
import { makeFrameworkRules } from './shared-framework.ts'

/** Rules about the store under Koa. */
export const koa: readonly Rule[] = makeFrameworkRules({
  name: 'koa',
  packages: ['koa', 'koa-session'],
  source: 'https://github.com/koajs/session#external-session-stores',
  open: ({ store }, maxAge, check) => withKoa(store, maxAge, check),
})
