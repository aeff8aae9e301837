import assert from 'node:assert/strict'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { expectData, extendCookie, ID, makeIds, retryIfLate } from './shared.ts'

/**
 * Touches the session like the middleware does at the end of a request that changed nothing.
 * Returns the new deadline by the clock of the stores.
 */
async function touchAgain({ store, now }: Context, life: number): Promise<number> {
  const request = await store.open(ID)
  const end = extendCookie(request, life, now())
  await store.touch(ID, request)
  return end
}

/** Rules about two requests or processes that change one session. */
export const collisions: readonly Rule[] = [
  {
    id: 'collisions/last-save-stays',
    title: 'of saves that one process makes in a row, and does not wait for, the last one stays',
    level: 'should',
    why: 'What the user did last is undone by what he did before.',
    async check({ store, session, trace }) {
      for (let turn = 0; turn < 5; turn++) {
        const id = `${ID}-${turn}`
        trace.keep(id)
        await Promise.all(makeIds(20).map((_, i) => store.set(id, session({ i }))))
        expectData(await store.data(id), { i: 19 })
      }
    },
  },
  {
    id: 'collisions/save-beside-a-touch-stays',
    title: 'a save stays when the session is touched by another process at the same moment',
    level: 'must',
    why: 'What a user just did is undone by a request that only reads.',
    source: 'valery-barysok/session-file-store#55',
    methods: ['touch'],
    needs: ['second'],
    async check({ store, second, session, trace }) {
      const all = makeIds(50)
      await Promise.all(all.map((id) => store.set(id, session({ name: 'old' }))))
      await Promise.all(
        all.flatMap((id, i) => {
          const touch = () => second.touch(id, session({ name: 'old' }))
          const save = () => store.set(id, session({ name: 'new' }))
          return (i % 2 ? [touch, save] : [save, touch]).map((call) => call())
        }),
      )
      const found = await Promise.all(all.map((id) => store.data(id)))
      const lost = all.filter((_, i) => found[i]?.name !== 'new')
      trace.keep(...lost.slice(0, 1))
      assert.equal(lost.length, 0, 'how many saves were lost')
    },
  },
  {
    id: 'collisions/touch-beside-a-save-is-no-error',
    title: 'touches and saves of one session by two processes at once are no error',
    level: 'must',
    why: 'A page with many parts fails in some of them.',
    source: 'kleydon/prisma-session-store#88',
    methods: ['touch'],
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session())
      await Promise.all(
        makeIds(60).map((_, i) => {
          const one = i % 4 < 2 ? store : second
          return i % 2 ? one.set(ID, session({ i })) : one.touch(ID, session())
        }),
      )
      assert.ok(await store.data(ID))
    },
  },
  {
    id: 'collisions/changes-of-two-requests-both-stay',
    title: 'two processes that read a session, change a key each and save it lose neither change',
    level: 'should',
    why: 'What one tab put into the basket is lost to another.',
    source: 'tj/connect-redis#75',
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const [one, other] = [await store.open(ID), await second.open(ID)]
      one.one = 1
      other.other = 2
      await second.set(ID, other)
      await store.set(ID, one)
      expectData(await store.data(ID), { name: 'Ada', one: 1, other: 2 })
    },
  },
  {
    id: 'collisions/removal-beside-a-change-stays',
    title:
      'a key that one process removed stays away when another saves what it read before, with another change',
    level: 'should',
    why: 'A right that was taken away, or a message that was read, is back.',
    source: 'tj/connect-redis#346',
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada', admin: true }))
      const [slow, quick] = [await store.open(ID), await second.open(ID)]
      delete quick.admin
      await second.set(ID, quick)
      slow.seen = true
      await store.set(ID, slow)
      expectData(await store.data(ID), { name: 'Ada', admin: undefined, seen: true })
    },
  },
  {
    id: 'collisions/late-save-keeps-a-later-deadline',
    title:
      'a save of an object that was read long ago does not move the deadline back that other requests moved on meanwhile',
    level: 'should',
    why: 'A web socket saves what it read at its start, and the user who is at work is logged out.',
    source: 'https://socket.io/how-to/use-with-express-session',
    methods: ['touch'],
    check: retryIfLate(async (context, unit, assertBefore) => {
      const { store, session, now, pass } = context
      const first = now() + 4 * unit
      await store.set(ID, session({ name: 'Ada' }, 4 * unit))
      const socket = await store.open(ID)
      await pass(2 * unit)
      const end = await touchAgain(context, 4 * unit)
      socket.seen = true
      await store.set(ID, socket)
      assertBefore(first)
      await pass(2.5 * unit)
      const found = await store.data(ID)
      assertBefore(end)
      expectData(found, { name: 'Ada', seen: true })
    }),
  },
  {
    id: 'collisions/late-save-does-not-end-a-session-in-use',
    title:
      'a save of an object that was read long ago does not end a session that other requests kept alive past the deadline of that time',
    level: 'should',
    why: 'A web socket saves what it read at its start, and the user who is at work is logged out at once.',
    source: 'https://socket.io/how-to/use-with-express-session',
    methods: ['touch'],
    check: retryIfLate(async (context, unit, assertBefore) => {
      const { store, session, now, pass } = context
      const first = now() + 4 * unit
      await store.set(ID, session({ name: 'Ada' }, 4 * unit))
      const socket = await store.open(ID)
      await pass(3 * unit)
      const end = await touchAgain(context, 4 * unit)
      assertBefore(first)
      await pass(2 * unit)
      socket.seen = true
      await store.set(ID, socket)
      const found = await store.data(ID)
      assertBefore(end)
      expectData(found, { name: 'Ada', seen: true })
    }),
  },
]
