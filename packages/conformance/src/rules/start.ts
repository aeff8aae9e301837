import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, makeIds } from './shared.ts'

/** Rules about the first calls of a store. */
export const start: readonly Rule[] = [
  {
    id: 'start/first-calls-at-once',
    title: 'the first 30 calls of a new store, all at once, are answered without an error',
    level: 'must',
    why: 'After every restart the first visitors get errors.',
    async check({ store, session: plain }) {
      const calls = makeIds(30).map((id, i) => (i % 2 ? store.get(id) : store.set(id, plain({ i }))))
      await Promise.all(calls)
      for (const [i, id] of makeIds(30).entries())
        assert.equal((await store.data(id))?.i, i % 2 ? undefined : i)
    },
  },
  {
    id: 'start/two-processes-at-once',
    title: 'two processes that begin on an empty database at once both work',
    level: 'must',
    why: 'Of two servers that start together one fails, some for ever: each found no table and made it.',
    source: 'Shopify/shopify-app-js#74',
    needs: ['second'],
    async check({ store, second, session: plain }) {
      await Promise.all([store.set('a', plain({ i: 1 })), second.set('b', plain({ i: 2 }))])
      expectData(await store.data('b'), { i: 2 })
      expectData(await second.data('a'), { i: 1 })
    },
  },
]
