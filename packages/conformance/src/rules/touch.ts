import assert from 'node:assert/strict'
import type { Rule } from '../rule.ts'

const ID = 'the-session-id'

/** Extending a session, and nothing else. */
export const touches: readonly Rule[] = [
  {
    id: 'touch/creates-nothing',
    title: 'a touch of a session that is not there creates nothing',
    level: 'must',
    why: 'A request that ends after the logout leaves a session behind that nobody made.',
    methods: ['touch'],
    async check({ store, session }) {
      await store.touch(ID, session({ name: 'Ada' }))
      assert.equal(await store.data(ID), undefined)
    },
  },
]
