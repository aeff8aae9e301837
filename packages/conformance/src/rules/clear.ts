import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, findLive, ID, makeIds, README } from './shared.ts'

/** Rules about the end of all sessions at once. */
export const clear: readonly Rule[] = [
  {
    id: 'clear/ends-every-session',
    title: 'after `clear` every session is gone',
    level: 'must',
    why: 'After a theft everybody is to be logged out, and some are not.',
    source: README,
    methods: ['clear'],
    async check({ store, session }) {
      await Promise.all(makeIds(5).map((id) => store.set(id, session())))
      await store.clear()
      for (const id of makeIds(5)) assert.equal(await store.data(id), undefined)
    },
  },
  {
    id: 'clear/ends-hundreds',
    title: '`clear` ends 500 sessions',
    level: 'must',
    why: 'After a theft everybody is to be logged out, and the call fails, or stops half way.',
    methods: ['clear'],
    async check({ store, session }) {
      const all = makeIds(500)
      await Promise.all(all.map((id) => store.set(id, session())))
      await store.clear()
      assert.equal((await findLive(store, all)).length, 0, 'how many are left')
    },
  },
  {
    id: 'clear/of-nothing-is-no-error',
    title: '`clear` of an empty store is no error, nor is a second one',
    level: 'must',
    why: 'A script that cleans up fails where there is nothing to do.',
    methods: ['clear'],
    async check({ store }) {
      await store.clear()
      await store.clear()
    },
  },
  {
    id: 'clear/leaves-a-store-that-works',
    title: 'after `clear` sessions can be saved and read, also under the ids of before',
    level: 'must',
    why: 'After everybody was logged out nobody can log in: the table or its index is gone too.',
    methods: ['clear'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada', old: true }))
      await store.clear()
      for (const id of [ID, 'another']) {
        await store.set(id, session({ name: 'Bob' }))
        expectData(await store.data(id), { name: 'Bob', old: undefined })
      }
    },
  },
  {
    id: 'clear/ends-them-in-every-process',
    title: 'after `clear` in one process the sessions are gone in another that read them',
    level: 'must',
    why: 'After a theft everybody is to be logged out, and is not on some of the servers.',
    methods: ['clear'],
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await second.get(ID)
      await store.clear()
      assert.equal(await second.data(ID), undefined)
    },
  },
  {
    id: 'clear/late-save-does-not-undo-it',
    title: 'a request that read a session before `clear`, and saves it after, does not bring it back',
    level: 'should',
    why: 'After a theft everybody is to be logged out: whoever had a request on its way stays.',
    source: 'expressjs/session#632',
    methods: ['clear'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const slow = await store.open(ID)
      await store.clear()
      slow.late = true
      // The store may refuse the save as well.
      await store.set(ID, slow).catch(() => {})
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'clear/ends-the-saves-before-it',
    title: 'a session whose save was called before `clear`, without waiting for the save, is gone after both',
    level: 'should',
    why: 'After a theft everybody is to be logged out: who was just being saved stays.',
    methods: ['clear'],
    async check({ store, session, trace }) {
      const all = makeIds(20)
      await Promise.all([...all.map((id) => store.set(id, session())), store.clear()])
      const left = await findLive(store, all)
      trace.keep(...left.slice(0, 1))
      assert.equal(left.length, 0, 'how many are left')
    },
  },
  {
    id: 'clear/leaves-the-saves-after-it',
    title:
      'a session whose save was called after `clear`, without waiting for the clear, is there after both',
    level: 'should',
    why: 'Who logs in at the moment at which everybody is logged out is logged out again at once.',
    methods: ['clear'],
    async check({ store, session, trace }) {
      const all = makeIds(20)
      await Promise.all(all.map((id) => store.set(id, session({ name: 'old' }))))
      await Promise.all([store.clear(), ...all.map((id) => store.set(id, session({ name: 'new' })))])
      const there = await findLive(store, all)
      trace.keep(...all.filter((id) => !there.includes(id)).slice(0, 1))
      assert.equal(there.length, 20, 'how many are there')
    },
  },
  {
    id: 'clear/beside-saves-is-no-error',
    title: '`clear` while sessions are saved is no error, and neither are the saves',
    level: 'should',
    why: 'Requests fail when an administrator cleans up.',
    methods: ['clear'],
    async check({ store, session }) {
      const save = (id: string) => store.set(id, session())
      await Promise.all([
        ...makeIds(50).map(save),
        store.clear(),
        ...makeIds(50).map((id) => save(`later-${id}`)),
        store.clear(),
      ])
    },
  },
]
