import assert from 'node:assert/strict'
import { HOUR } from '../common.ts'
import { prefixRules, type StoreRule } from './fixture.ts'
import { ID, makeFresh, makePlain, read, readDeadline, save } from './sessions.ts'

/**
 * Rules about the order of calls: in one process, calls for one id take effect in order, awaited or
 * not.
 */

const rule = prefixRules('policy/order')

export const order: StoreRule[] = [
  rule(
    'sets-are-answered-in-their-order',
    'An answer comes before what it stands for is saved.',
    async ({ open, openOther }) => {
      const store = open()
      const answered: number[] = []
      await Promise.all(
        Array.from({ length: 50 }, (_, turn) =>
          store.set(ID, makePlain({ turn })).then(() => answered.push(turn)),
        ),
      )
      assert.deepEqual(
        answered,
        Array.from({ length: 50 }, (_, i) => i),
      )
      assert.deepEqual(await read(openOther(), ID), { turn: 49 })
    },
  ),
  rule(
    'a-get-after-a-destroy-finds-nothing',
    'The request after the logout is still logged in.',
    async ({ open }) => {
      const store = open()
      void store.set(ID, makePlain())
      const before = store.get(ID)
      void store.destroy(ID)
      const after = store.get(ID)
      assert.equal(await after, null)
      await before
    },
  ),
  rule(
    'a-set-after-a-touch-has-the-last-word',
    'A touch on its way undoes a deadline that was made shorter.',
    async ({ open, clock }) => {
      const store = open()
      await store.set(ID, makePlain())
      for (let i = 0; i < 20; i++) {
        void store.touch(ID, makePlain({}, { expires: new Date(clock.now + 5 * HOUR) }))
        await store.set(ID, makePlain({}, { expires: new Date(clock.now + HOUR) }))
        assert.equal(await readDeadline(store, ID), clock.now + HOUR)
      }
    },
  ),
  rule(
    'a-touch-after-a-set-has-the-last-word',
    'A session that was extended ends early.',
    async ({ open, clock }) => {
      const store = open()
      for (let i = 0; i < 20; i++) {
        void store.set(ID, makePlain({}, { expires: new Date(clock.now + HOUR) }))
        await store.touch(ID, makePlain({}, { expires: new Date(clock.now + 5 * HOUR) }))
        assert.ok((await readDeadline(store, ID)) >= clock.now + 5 * HOUR)
      }
    },
  ),
  rule(
    'a-session-may-be-saved-while-it-is-saved',
    'The second of two saves in a request is taken for a conflict.',
    async ({ open, openOther }) => {
      const store = open({ onConflict: 'error' })
      const session = makeFresh(store, ID, { turn: 0 })
      const saves: Promise<void>[] = []
      for (let turn = 0; turn < 10; turn++) {
        session.turn = turn
        saves.push(save(session))
      }
      await Promise.all(saves)
      assert.deepEqual(await read(openOther(), ID), { turn: 9 })
    },
  ),
  rule(
    'thousands-of-calls-of-one-session-are-answered',
    'One busy session ends the process.',
    async ({ open }) => {
      const store = open()
      await store.set(ID, makePlain({ name: 'Ada' }))
      void store.set(ID, makePlain({ name: 'Grace' }))
      const gets = Array.from({ length: 5000 }, () => read(store, ID))
      assert.deepEqual(new Set((await Promise.all(gets)).map((found) => found?.name)), new Set(['Grace']))
    },
  ),
  rule(
    'calls-about-the-whole-store-see-the-saves-before-them',
    'Right after a sign-in the list of sessions lacks it.',
    async ({ open }) => {
      const store = open({ user: () => 'ann' })
      for (let turn = 1; turn <= 10; turn++) {
        void store.set(`${ID}-${turn}`, makePlain())
        const all = [
          store.length(),
          store.ids().then(({ length }) => length),
          store.all().then((found) => Object.keys(found).length),
          store.list({ user: 'ann' }).then(({ sessions }) => sessions.length),
        ]
        assert.deepEqual(await Promise.all(all), [turn, turn, turn, turn])
      }
      void store.set('one-more', makePlain())
      assert.equal(await store.revokeUser('ann'), 11)
    },
  ),
  rule(
    'clear-takes-its-place-among-the-calls',
    '"Log everybody out" leaves a session that was saved before it, or ends one that was made after it.',
    async ({ open, openOther }) => {
      const store = open()
      for (let turn = 0; turn < 20; turn++) {
        const calls: Promise<unknown>[] = [store.set('before', makePlain({ turn }))]
        calls.push(store.clear())
        calls.push(store.set(ID, makePlain({ turn })))
        const between = read(store, ID)
        calls.push(store.clear())
        calls.push(store.set('after', makePlain({ turn })))
        const counted = store.length()
        await Promise.all(calls)
        assert.deepEqual(await between, { turn })
        assert.equal(await counted, 1)
        assert.deepEqual(
          [await read(openOther(), 'before'), await read(openOther(), ID), await read(openOther(), 'after')],
          [null, null, { turn }],
        )
      }
    },
  ),
]
