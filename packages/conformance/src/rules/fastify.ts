import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { withFastify } from '../sites/fastify.ts'
import { type Framework, login, makeFrameworkRules, readName } from './shared-framework.ts'

const framework: Framework = {
  name: 'fastify',
  packages: ['fastify', '@fastify/cookie', '@fastify/session'],
  source: 'https://github.com/fastify/session#store-optional',
  open: ({ store }, maxAge, check) => withFastify(store.raw, maxAge, check),
}

/** Rules about the store under Fastify. */
export const fastify: readonly Rule[] = [
  ...makeFrameworkRules(framework),
  {
    id: 'fastify/idle-session-ends',
    title: 'under @fastify/session, a session ends when nobody asks for it within its `maxAge`',
    level: 'should',
    why: 'A stolen cookie, sent by something that is no browser, works for ever.',
    source: framework.source,
    packages: framework.packages,
    check: (context) =>
      framework.open(context, 4000, async (visitor) => {
        await login(visitor)
        assert.equal(await readName(visitor), 'Ada')
        await context.pass(5500)
        assert.equal(await readName(visitor), undefined)
      }),
  },
]
