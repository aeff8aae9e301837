import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, extendCookie, HOUR, ID, LONG_AFTER, retryIfLate, SHORT } from './shared.ts'

const RARELY = { methods: ['touch'], options: { touchAfter: HOUR }, needs: ['touchAfter'] } as const

/** Rules about an option to skip touches that come soon after another. */
export const touchAfter: readonly Rule[] = [
  {
    id: 'touch-after/calls-back',
    title: 'a touch that comes too soon to be written calls back, and the session is as it was',
    level: 'must',
    why: 'Every request that changes nothing fails, or hangs.',
    ...RARELY,
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }, 4 * HOUR))
      await store.touch(ID, await store.open(ID))
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'touch-after/does-not-end-a-session-in-use',
    title: 'a touch that comes soon after the last is written all the same if the session is about to end',
    level: 'info',
    why: 'Where sessions are shorter than that time, whoever works without pause is logged out.',
    ...RARELY,
    check: retryIfLate(async ({ store, session, now, pass }, unit, assertBefore) => {
      const life = 3 * unit
      const first = now() + life
      await store.set(ID, session({ name: 'Ada' }, life))
      await pass(2 * unit)
      const open = await store.open(ID)
      assertBefore(first)
      const end = extendCookie(open, life, now())
      await store.touch(ID, open)
      assertBefore(first)
      await pass(2 * unit)
      const found = await store.data(ID)
      assertBefore(end)
      expectData(found, { name: 'Ada' })
    }),
  },
  {
    id: 'touch-after/follows-a-new-max-age',
    title: 'a touch with a shorter `cookie.maxAge` is written, however soon it comes',
    level: 'should',
    why: 'Whoever takes "remember me" back on a shared computer stays logged in there.',
    ...RARELY,
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, 4 * HOUR))
      const open = await store.open(ID)
      open.cookie.maxAge = SHORT
      await store.touch(ID, open)
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
]
