import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, LONG_AFTER, makeIds, retryIfLate, SHORT } from './shared.ts'

/** Rules about what a touch must not change. */
export const touchAlone: readonly Rule[] = [
  {
    id: 'touch-alone/changes-no-data',
    title: 'a touch changes nothing in the session, whatever session it is given',
    level: 'must',
    why: 'A request that only reads undoes what another one saved meanwhile.',
    source: 'valery-barysok/session-file-store#55',
    methods: ['touch'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada', cart: [1] }))
      await store.touch(ID, session({ name: 'Bob' }))
      expectData(await store.data(ID), { name: 'Ada', cart: [1] })
    },
  },
  {
    id: 'touch-alone/leaves-what-another-saved',
    title: 'a touch of a session that was read before another process saved it leaves that save alone',
    level: 'must',
    why: 'A request that only reads undoes what another one saved meanwhile.',
    source: 'valery-barysok/session-file-store#55',
    methods: ['touch'],
    needs: ['second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const slow = await store.open(ID)
      await second.set(ID, session({ name: 'Bob' }))
      await store.touch(ID, slow)
      expectData(await store.data(ID), { name: 'Bob' })
    },
  },
  {
    id: 'touch-alone/leaves-a-longer-life',
    title:
      'a touch by a request that read the session before another one saved a longer `cookie.maxAge` leaves that',
    level: 'should',
    why: 'Who logs in with "remember me" is logged out after the usual time, because another request ran meanwhile.',
    source: 'expressjs/session#564',
    methods: ['touch'],
    check: retryIfLate(async ({ store, session, now, pass }, unit, assertBefore) => {
      const end = now() + 2 * unit
      await store.set(ID, session({ name: 'Ada' }, 2 * unit))
      const [reads, logsIn] = [await store.open(ID), await store.open(ID)]
      assertBefore(end)
      logsIn.cookie.maxAge = 30 * 24 * HOUR
      await store.set(ID, logsIn)
      await store.touch(ID, reads.touch() as typeof reads)
      assertBefore(end)
      await pass(5 * unit)
      expectData(await store.data(ID), { name: 'Ada' })
    }),
  },
  {
    id: 'touch-alone/leaves-a-shorter-life',
    title: 'a touch by a request that read an older version does not lengthen what a newer save shortened',
    level: 'should',
    why: 'Who takes "remember me" back on a shared computer stays logged in there.',
    source: 'expressjs/session#564',
    methods: ['touch'],
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, HOUR))
      const [reads, shortens] = [await store.open(ID), await store.open(ID)]
      shortens.cookie.maxAge = SHORT
      await store.set(ID, shortens)
      await store.touch(ID, reads.touch() as typeof reads)
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'touch-alone/after-a-save-keeps-the-save',
    title: 'a session that one request reads, changes, saves and touches is as it was saved',
    level: 'must',
    why: 'A request that calls `req.session.save` itself loses what it saved.',
    methods: ['touch'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const open = await store.open(ID)
      open.name = 'Bob'
      await store.set(ID, open)
      await store.touch(ID, open)
      expectData(await store.data(ID), { name: 'Bob' })
    },
  },
  {
    id: 'touch-alone/takes-a-session-of-express',
    title: 'a touch takes a session as express-session has it, with its request',
    level: 'must',
    why: 'Every request that changes nothing fails.',
    methods: ['touch'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const open = await store.open(ID)
      await store.touch(ID, open)
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'touch-alone/only-its-own',
    title: 'a touch extends its own session, and no other',
    level: 'must',
    why: 'Sessions that nobody uses last as long as anybody works.',
    methods: ['touch'],
    async check({ store, session, pass }) {
      const all = makeIds(10)
      await Promise.all(all.map((id) => store.set(id, session({}, 2 * SHORT))))
      await store.touch(all[0]!, session({}, HOUR))
      await pass(LONG_AFTER + SHORT)
      const live = await Promise.all(all.map((id) => store.data(id)))
      assert.equal(live.filter(Boolean).length, 1, 'how many are there')
    },
  },
  {
    id: 'touch-alone/many-at-once',
    title: '100 touches of one session at once are all answered without an error, and it is there',
    level: 'must',
    why: 'A page with many parts fails, or logs out.',
    source: 'kleydon/prisma-session-store#88',
    methods: ['touch'],
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await Promise.all(makeIds(100).map(() => store.touch(ID, session({ name: 'Ada' }))))
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
]
