import type { Rule } from '../engine/rule.ts'
import { withKoa } from '../sites/koa.ts'
import { frameworkRules } from './shared-framework.ts'

/** The store under Koa. */
export const koa: readonly Rule[] = frameworkRules({
  name: 'koa',
  packages: ['koa', 'koa-session'],
  source: 'https://github.com/koajs/session#external-session-stores',
  open: ({ store }, maxAge, check) => withKoa(store, maxAge, check),
})
