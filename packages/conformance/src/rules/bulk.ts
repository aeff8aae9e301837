import assert from 'node:assert/strict'
import type { Tested } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { holds, ID, ids, isRefused, README } from './shared.ts'

/** The number of all sessions, and the end of them. */

/** What `ids` gives; `undefined` where the store has no such method. */
function namesOf({ raw }: Tested): Promise<unknown[]> | undefined {
  const { ids } = raw as unknown as { ids?(callback: (error: unknown, found: unknown[]) => void): void }
  if (ids === undefined) return undefined
  return new Promise((resolve, reject) => {
    ids.call(raw, (error, found) => (error ? reject(error) : resolve(found)))
  })
}

/** What `all` calls its sessions: their places in an object, or the ids that a store adds to those of an array. */
async function namesInAll({ raw }: Tested): Promise<string[]> {
  const all = await new Promise<unknown>((resolve, reject) => {
    raw.all!((error, found) => (error ? reject(error) : resolve(found)))
  })
  if (!Array.isArray(all)) return Object.keys(all ?? {})
  const named = all.map((one) => one?.id ?? one?._id ?? one?.sid)
  return named.filter((name) => typeof name === 'string')
}

/** Those of these sessions that are there. */
async function found(store: Tested, all: readonly string[]): Promise<string[]> {
  const sessions = await Promise.all(all.map((id) => store.get(id)))
  return all.filter((_, i) => sessions[i])
}

export const bulk: readonly Rule[] = [
  {
    id: 'length/counts-sessions',
    title: '`length` is the number of sessions: saved again they count once, destroyed not at all',
    level: 'must',
    why: 'A limit on sessions, or a figure on a dashboard, is wrong.',
    source: README,
    methods: ['length'],
    async check({ store, session }) {
      const counts = [await store.length()]
      for (const id of ids(3)) await store.set(id, session())
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
      await Promise.all(ids(500).map((id) => store.set(id, session())))
      assert.equal(await store.length(), 500)
    },
  },
  {
    id: 'all/destroy-of-what-it-names-ends-it',
    title: '`destroy` of what `all`, or `ids`, calls a session ends that session, or is an error',
    level: 'should',
    why: 'A user who is signed out everywhere, one session after the other, is told that it is done, and it is not.',
    methods: ['all'],
    async check({ store, session }) {
      for (const [name, list] of Object.entries({ all: namesInAll, ids: namesOf })) {
        const three = ids(3).map((id) => `${name}-${id}`)
        await Promise.all(three.map((id) => store.set(id, session())))
        const names = (await list(store)) ?? []
        if (names.length === 0) continue
        assert.equal(names.length, 3)
        const refused = await isRefused(Promise.all(names.map((name) => store.destroy(`${name}`))))
        if (!refused) assert.deepEqual(await found(store, three), [])
      }
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
      const saves = ids(20).map((id) => store.set(id, session()))
      const [length, names] = await Promise.all([store.length(), namesOf(store), ...saves])
      assert.equal(length, 20)
      assert.equal(names?.length ?? 20, 20)
    },
  },
  {
    id: 'clear/ends-every-session',
    title: 'after `clear` every session is gone',
    level: 'must',
    why: 'After a theft everybody is to be logged out, and some are not.',
    source: README,
    methods: ['clear'],
    async check({ store, session }) {
      await Promise.all(ids(5).map((id) => store.set(id, session())))
      await store.clear()
      for (const id of ids(5)) assert.equal(await store.data(id), undefined)
    },
  },
  {
    id: 'clear/ends-hundreds',
    title: '`clear` ends 500 sessions',
    level: 'must',
    why: 'After a theft everybody is to be logged out, and the call fails, or stops half way.',
    methods: ['clear'],
    async check({ store, session }) {
      const all = ids(500)
      await Promise.all(all.map((id) => store.set(id, session())))
      await store.clear()
      const left = (await Promise.all(all.map((id) => store.get(id)))).filter(Boolean)
      assert.equal(left.length, 0, 'how many are there')
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
        holds(await store.data(id), { name: 'Bob', old: undefined })
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
      // To refuse it is as good.
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
      const all = ids(20)
      await Promise.all([...all.map((id) => store.set(id, session())), store.clear()])
      const left = await found(store, all)
      trace.keep(...left.slice(0, 1))
      assert.equal(left.length, 0, 'how many are there')
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
      const all = ids(20)
      await Promise.all(all.map((id) => store.set(id, session({ name: 'old' }))))
      await Promise.all([store.clear(), ...all.map((id) => store.set(id, session({ name: 'new' })))])
      const there = await found(store, all)
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
        ...ids(50).map(save),
        store.clear(),
        ...ids(50).map((id) => save(`later-${id}`)),
        store.clear(),
      ])
    },
  },
]
