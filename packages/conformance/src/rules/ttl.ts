import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, LONG_AFTER, SHORT } from './shared.ts'

/**
 * Rules about the `ttl` of a store: whether it applies with and without a deadline in the cookie.
 */
export const ttl: readonly Rule[] = [
  {
    id: 'ttl/lasts-without-a-deadline',
    title: 'a session whose cookie has no deadline is kept',
    level: 'must',
    why: "express-session's own default logs everybody out at once.",
    source: 'https://github.com/expressjs/session#cookieexpires',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, null))
      await pass(LONG_AFTER)
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'ttl/ends-without-a-deadline',
    title: 'a session whose cookie has no deadline ends when the `ttl` of the store is over',
    level: 'must',
    why: 'Sessions of browsers that are never closed stay for ever, against the setting.',
    options: { ttl: SHORT },
    needs: ['ttl'],
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, null))
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'ttl/short-cookie-beats-it',
    title: 'a cookie that ends before the `ttl` of the store ends the session',
    level: 'should',
    why: 'The browser has forgotten the cookie, and a copy of it opens the session for days.',
    options: { ttl: HOUR },
    needs: ['ttl'],
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'ttl/long-cookie-beats-it',
    title: 'a cookie that ends after the `ttl` of the store keeps the session',
    level: 'info',
    why: 'Stores differ in which of the two is right: after a change of store "remember me" may end early.',
    options: { ttl: SHORT },
    needs: ['ttl'],
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, HOUR))
      await pass(LONG_AFTER)
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
]
