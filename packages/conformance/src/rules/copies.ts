import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, ID } from './shared.ts'

/** Rules that stored sessions and the objects of the application are different objects. */
export const copies: readonly Rule[] = [
  {
    id: 'copies/reads-are-apart',
    title: 'two reads give objects of their own',
    level: 'must',
    why: 'One request changes the session under another one’s hands.',
    async check({ store, session }) {
      await store.set(ID, session({ list: [1] }))
      const [one, other] = [await store.get(ID), await store.get(ID)]
      ;(one as unknown as { list: number[] }).list.push(2)
      expectData(other as never, { list: [1] })
      expectData(await store.data(ID), { list: [1] })
    },
  },
  {
    id: 'copies/reads-at-once-are-apart',
    title: 'two reads at once give objects of their own',
    level: 'must',
    why: 'Requests that share a read change each other’s session.',
    async check({ store, session }) {
      await store.set(ID, session({ list: [1] }))
      const [one, other] = await Promise.all([store.get(ID), store.get(ID)])
      ;(one as unknown as { list: number[] }).list.push(2)
      expectData(other as never, { list: [1] })
    },
  },
  {
    id: 'copies/saved-is-a-copy',
    title: 'what happens to an object after its save does not change what was saved',
    level: 'must',
    why: 'What a request throws away is kept.',
    async check({ store, session }) {
      const given = session({ list: [1] })
      await store.set(ID, given)
      ;(given as unknown as { list: number[] }).list.push(2)
      expectData(await store.data(ID), { list: [1] })
    },
  },
  {
    id: 'copies/saved-as-it-was-called',
    title: 'a change after the call of `set`, and before its answer, is not saved',
    level: 'info',
    why: 'What is saved depends on how fast the database is.',
    async check({ store, session }) {
      const given = session({ list: [1] })
      const saved = store.set(ID, given)
      ;(given as unknown as { list: number[] }).list.push(2)
      await saved
      expectData(await store.data(ID), { list: [1] })
    },
  },
  {
    id: 'copies/given-is-left-alone',
    title: 'a save changes nothing in the object that it is given',
    level: 'should',
    why: 'express-session sees a change that nobody made, and saves again with every request.',
    source: 'jdesboeufs/connect-mongo#407',
    async check({ store, session }) {
      const given = session({ name: 'Ada', list: [1, { a: 2 }] })
      const before = [Object.keys(given), JSON.stringify(given)]
      await store.set(ID, given)
      assert.deepEqual([Object.keys(given), JSON.stringify(given)], before)
    },
  },
  {
    id: 'copies/nothing-is-added',
    title: 'a read gives what was saved, and no key more',
    level: 'should',
    why: 'The application finds keys in its session that it never put there, and hands them on.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      assert.deepEqual(Object.keys((await store.get(ID))!).sort(), ['cookie', 'name'])
    },
  },
]
