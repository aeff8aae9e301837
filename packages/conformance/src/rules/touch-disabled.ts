import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, retryIfLate } from './shared.ts'

const NEVER = { methods: ['touch'], options: { disableTouch: true }, needs: ['disableTouch'] } as const

/** Rules about an option to skip every touch. */
export const touchDisabled: readonly Rule[] = [
  {
    id: 'touch-disabled/changes-nothing',
    title: 'where touches are switched off, a touch is no error, and the session ends as it would have',
    level: 'must',
    why: 'Requests that change nothing fail, or keep sessions alive that were not to be.',
    ...NEVER,
    check: retryIfLate(async ({ store, session, now, pass }, unit, assertBefore) => {
      const end = now() + 2 * unit
      await store.set(ID, session({ name: 'Ada' }, 2 * unit))
      await store.touch(ID, session({ name: 'Bob' }, HOUR))
      const found = await store.data(ID)
      assertBefore(end)
      expectData(found, { name: 'Ada' })
      await pass(4 * unit)
      assert.equal(await store.data(ID), undefined)
    }),
  },
  {
    id: 'touch-disabled/asynchronous',
    title: 'where touches are switched off, a touch calls back after it returned',
    level: 'info',
    why: 'Code behind the call runs before the call is over: an order that holds with one setting and not with another.',
    source: 'https://blog.izs.me/2013/08/designing-apis-for-asynchrony/',
    ...NEVER,
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const { promise, resolve } = Promise.withResolvers<boolean>()
      let returned = false
      store.raw.touch!(ID, session({ name: 'Ada' }), () => resolve(returned))
      returned = true
      assert.ok(await promise, '`touch` calls back before it returns')
    },
  },
]
