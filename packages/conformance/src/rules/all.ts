import assert from 'node:assert/strict'
import type { Tested } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { findLive, findMarked, ID, isRefused, listIds, makeIds, mark, README } from './shared.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Returns the answer of `all` in the shape that the store gives it. */
const readAll = ({ raw }: Tested): Promise<unknown> =>
  new Promise((resolve, reject) => {
    raw.all!((error, found) => (error ? reject(error) : resolve(found)))
  })

/** Returns the keys of the object that `all` returns, or the ids in the sessions of an array. */
async function listNamesInAll(store: Tested): Promise<string[]> {
  const all = await readAll(store)
  if (!Array.isArray(all)) return Object.keys(all ?? {})
  const named = all.map((one) => one?.id ?? one?._id ?? one?.sid)
  return named.filter((name) => typeof name === 'string')
}

/** Rules about the list of all sessions. */
export const all: readonly Rule[] = [
  {
    id: 'all/tells-every-session',
    title: '`all` tells every session, each with what it holds',
    level: 'must',
    why: 'Whoever is to be logged out everywhere stays logged in where the list had a gap.',
    source: README,
    methods: ['all'],
    async check({ store, session }) {
      await Promise.all(makeIds(5).map((id, i) => store.set(id, session({ i }))))
      const found = (await store.all()).map(({ i }) => i as number)
      assert.deepEqual(found.toSorted(), numbers(5))
    },
  },
  {
    id: 'all/tells-hundreds',
    title: '`all` tells 500 sessions, each once',
    level: 'must',
    why: 'What comes in pages has gaps or doubles: a list of who is logged in is wrong once there are many.',
    methods: ['all'],
    async check({ store, session }) {
      await Promise.all(makeIds(500).map((id, i) => store.set(id, session(mark(i)))))
      assert.deepEqual(await findMarked(store, numbers(500)), numbers(500))
    },
  },
  {
    id: 'all/of-nothing-is-empty',
    title: '`all` of an empty store is an empty array or object, and no error',
    level: 'should',
    why: 'The page of all sessions fails on the day of the first start.',
    methods: ['all'],
    async check({ store }) {
      const all = await readAll(store)
      assert.ok(typeof all === 'object' && all !== null, '`all` returns neither an array nor an object')
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
      await Promise.all(makeIds(3).map((id, i) => store.set(id, session(mark(i)))))
      await store.destroy('session-1')
      assert.deepEqual(await findMarked(store, numbers(3)), [0, 2])
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
      const all = await readAll(store)
      const named = Array.isArray(all)
        ? Object.values(all[0] ?? {}).includes(ID)
        : Object.keys(all as object)[0]
      assert.ok(named, '`all` returns an array of sessions without their ids')
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
      await Promise.all(makeIds(4).map((id, i) => [store, second][i % 2]!.set(id, session(mark(i)))))
      assert.deepEqual(await findMarked(store, numbers(4)), numbers(4))
    },
  },
  {
    id: 'all/sees-the-saves-before-it',
    title: '`all` tells the sessions whose saves were called before it, without waiting for them',
    level: 'should',
    why: 'A list of who is logged in leaves out who just came.',
    methods: ['all'],
    async check({ store, session }) {
      const saves = makeIds(20).map((id, i) => store.set(id, session(mark(i))))
      const [found] = await Promise.all([findMarked(store, numbers(20)), ...saves])
      assert.deepEqual(
        found.toSorted((one, other) => one - other),
        numbers(20),
      )
    },
  },
  {
    id: 'all/beside-logouts-is-no-error',
    title: '`all` while sessions are destroyed is no error, and tells those that stay',
    level: 'should',
    why: 'The page of all sessions fails as soon as there is traffic.',
    methods: ['all'],
    async check({ store, session }) {
      const all = makeIds(100)
      await Promise.all(all.map((id, i) => store.set(id, session(mark(i)))))
      const going = all.filter((_, i) => i % 2).map((id) => store.destroy(id))
      const staying = numbers(100).filter((i) => i % 2 === 0)
      const [seen] = await Promise.all([findMarked(store, staying), ...going])
      assert.deepEqual(
        staying.filter((i) => !seen.includes(i)),
        [],
        'the sessions that `all` left out',
      )
    },
  },
  {
    id: 'all/destroy-of-what-it-names-ends-it',
    title: '`destroy` of what `all`, or `ids`, calls a session ends that session, or is an error',
    level: 'should',
    why: 'A user who is signed out everywhere, one session after the other, is told that it is done, and it is not.',
    methods: ['all'],
    async check({ store, session }) {
      for (const [name, list] of Object.entries({ all: listNamesInAll, ids: listIds })) {
        const three = makeIds(3).map((id) => `${name}-${id}`)
        await Promise.all(three.map((id) => store.set(id, session())))
        const names = (await list(store)) ?? []
        if (names.length === 0) continue
        assert.equal(names.length, 3)
        const refused = await isRefused(Promise.all(names.map((name) => store.destroy(`${name}`))))
        if (!refused) assert.deepEqual(await findLive(store, three), [])
      }
    },
  },
]
