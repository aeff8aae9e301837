import assert from 'node:assert/strict'
import type { Tested } from '../context.ts'
import type { Rule } from '../rule.ts'
import { holds, ID, ids, README } from './shared.ts'

/** What is about all sessions. */

/** What `all` tells, sorted by the `i` of each session. */
async function told(store: Tested): Promise<unknown[]> {
  const all = await store.all()
  return all.map(({ i }) => i).sort((one, other) => Number(one) - Number(other))
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

export const bulk: readonly Rule[] = [
  {
    id: 'all/tells-every-session',
    title: '`all` tells every session, each with what it holds',
    level: 'must',
    why: 'Whoever is to be logged out everywhere stays logged in where the list had a gap.',
    source: README,
    methods: ['all'],
    async check({ store, session }) {
      await Promise.all(ids(5).map((id, i) => store.set(id, session({ i }))))
      assert.deepEqual(await told(store), numbers(5))
    },
  },
  {
    id: 'all/tells-hundreds',
    title: '`all` tells 500 sessions, each once',
    level: 'must',
    why: 'What comes in pages has gaps or doubles: a list of who is logged in is wrong once there are many.',
    methods: ['all'],
    async check({ store, session }) {
      await Promise.all(ids(500).map((id, i) => store.set(id, session({ i }))))
      assert.deepEqual(await told(store), numbers(500))
    },
  },
  {
    id: 'all/of-nothing-is-empty',
    title: '`all` of an empty store is an empty array or object, and no error',
    level: 'should',
    why: 'The page of all sessions fails on the day of the first start.',
    methods: ['all'],
    async check({ store }) {
      const all = await new Promise((resolve, reject) => {
        store.raw.all!((error, found) => (error ? reject(error) : resolve(found)))
      })
      assert.ok(typeof all === 'object' && all !== null, 'it is neither an array nor an object')
      assert.equal(Object.keys(all).length, 0)
    },
  },
  {
    id: 'all/leaves-out-destroyed-sessions',
    title: '`all` leaves out a session that was destroyed',
    level: 'must',
    why: 'Who has logged out is still listed as being there.',
    methods: ['all'],
    async check({ store, session }) {
      await Promise.all(ids(3).map((id, i) => store.set(id, session({ i }))))
      await store.destroy('session-1')
      assert.deepEqual(await told(store), [0, 2])
    },
  },
  {
    id: 'all/tells-which-is-which',
    title: '`all` gives each session a name: the key of an object, or a property that holds the id',
    level: 'info',
    why: 'From a list without ids no session can be ended.',
    methods: ['all'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const all: unknown = await new Promise((resolve) => store.raw.all!((_, found) => resolve(found)))
      const named = Array.isArray(all) ? Object.values(all[0]).includes(ID) : Object.keys(all as object)[0]
      assert.ok(named, 'it is an array of sessions without their ids')
    },
  },
  {
    id: 'all/tells-what-others-saved',
    title: '`all` and `get` of another process agree',
    level: 'must',
    why: 'A list of who is logged in holds only those of one server.',
    methods: ['all'],
    needs: ['second'],
    async check({ store, second, session }) {
      await Promise.all(ids(4).map((id, i) => [store, second][i % 2]!.set(id, session({ i }))))
      assert.deepEqual(await told(store), numbers(4))
    },
  },
  {
    id: 'all/beside-logouts-is-no-error',
    title: '`all` while sessions are destroyed is no error, and tells those that stay',
    level: 'should',
    why: 'The page of all sessions fails as soon as there is traffic.',
    methods: ['all'],
    async check({ store, session }) {
      const all = ids(100)
      await Promise.all(all.map((id, i) => store.set(id, session({ i }))))
      const going = all.filter((_, i) => i % 2).map((id) => store.destroy(id))
      const [seen] = await Promise.all([told(store), ...going])
      const staying = numbers(100).filter((i) => i % 2 === 0)
      assert.deepEqual(
        staying.filter((i) => !seen.includes(i)),
        [],
        'those that it left out',
      )
    },
  },
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
