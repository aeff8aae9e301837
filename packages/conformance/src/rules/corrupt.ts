import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { ID } from './shared.ts'

/** Rules about records that a store cannot read. */
export const corrupt: readonly Rule[] = [
  {
    id: 'corrupt/a-read-calls-back',
    title: 'a stored session that cannot be read is an error, or none, and is told by the callback',
    level: 'must',
    why: 'One bad row ends the process at every request of its user.',
    needs: ['corrupt'],
    async check({ store, session, backend }) {
      await store.set(ID, session({ name: 'Ada' }))
      await backend.corrupt(ID)
      const found = await store.get(ID).catch((error: unknown) => {
        assert.ok(error instanceof Error)
        return null
      })
      assert.ok(!found, 'the unreadable session is given to the application')
    },
  },
  {
    id: 'corrupt/can-be-replaced',
    title: 'a stored session that cannot be read can be destroyed and saved anew',
    level: 'must',
    why: 'A user with one bad row can never log in again.',
    needs: ['corrupt'],
    async check({ store, session, backend }) {
      await store.set(ID, session({ name: 'Ada' }))
      await backend.corrupt(ID)
      await store.destroy(ID)
      await store.set('another-id', session({ name: 'Bob' }))
      assert.equal((await store.data('another-id'))?.name, 'Bob')
    },
  },
]
