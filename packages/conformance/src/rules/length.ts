import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { ID, listIds, makeIds, README } from './shared.ts'

/** Rules about the number of sessions. */
export const length: readonly Rule[] = [
  {
    id: 'length/counts-sessions',
    title: '`length` is the number of sessions: saved again they count once, destroyed not at all',
    level: 'must',
    why: 'A limit on sessions, or a figure on a dashboard, is wrong.',
    source: README,
    methods: ['length'],
    async check({ store, session }) {
      const counts = [await store.length()]
      for (const id of makeIds(3)) await store.set(id, session())
      counts.push(await store.length())
      await store.set('session-1', session({ again: true }))
      counts.push(await store.length())
      await store.destroy('session-2')
      counts.push(await store.length())
      assert.deepEqual(counts.map(Number), [0, 3, 3, 2])
    },
  },
  {
    id: 'length/is-a-number',
    title: '`length` is a number, and not text',
    level: 'must',
    why: 'Added to another, 1 and 1 are 11.',
    source: README,
    methods: ['length'],
    async check({ store, session }) {
      await store.set(ID, session())
      assert.equal(typeof (await store.length()), 'number')
    },
  },
  {
    id: 'length/counts-hundreds',
    title: '`length` of 500 sessions is 500',
    level: 'must',
    why: 'What is counted in pages is wrong once there are many.',
    methods: ['length'],
    async check({ store, session }) {
      await Promise.all(makeIds(500).map((id) => store.set(id, session())))
      assert.equal(await store.length(), 500)
    },
  },
  {
    id: 'length/sees-the-saves-before-it',
    title:
      '`length`, and `ids` where there is one, count the sessions whose saves were called before, without waiting for them',
    level: 'should',
    why: 'A script that fills a store and counts reports too few.',
    methods: ['length'],
    async check({ store, session }) {
      const saves = makeIds(20).map((id) => store.set(id, session()))
      const [length, names] = await Promise.all([store.length(), listIds(store), ...saves])
      assert.equal(length, 20)
      assert.equal(names?.length ?? 20, 20)
    },
  },
]
