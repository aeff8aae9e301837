import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, LONG_AFTER, makeIds, SHORT } from './shared.ts'

/**
 * A `skew` in milliseconds. Some stores remove only sessions that have ended by the clock of the
 * database too, which the suite cannot move.
 */
const BEHIND = -25 * HOUR

/** How long the rule waits for the store to remove sessions by itself, in milliseconds. */
const PATIENCE = 4000

/** Rules about the removal of ended sessions at an interval. */
export const prune: readonly Rule[] = [
  {
    id: 'prune/off-removes-nothing',
    title: 'where removal by interval is switched off, sessions that have ended stay in the database',
    level: 'must',
    why: 'Whoever removes them at night, by himself, has them removed at noon as well.',
    options: { pruneInterval: false, skew: BEHIND },
    needs: ['pruneInterval', 'stored'],
    async check({ store, session, pass, backend }) {
      await Promise.all(makeIds(3).map((id) => store.set(id, session({}, SHORT))))
      await pass(LONG_AFTER)
      await store.set(ID, session({ name: 'Ada' }))
      assert.equal(await backend.stored(), 4, 'how many are stored')
    },
  },
  {
    id: 'prune/removes-what-ended',
    title: 'sessions that have ended are removed from the database at the interval, and no others',
    level: 'must',
    why: 'The database fills up with sessions of users who never come back.',
    options: { pruneInterval: 100, skew: BEHIND },
    needs: ['pruneInterval', 'stored'],
    async check({ store, session, pass, backend }) {
      await store.set(ID, session({ name: 'Ada' }, 48 * HOUR))
      await Promise.all(makeIds(3).map((id) => store.set(id, session({}, SHORT))))
      // Some stores remove sessions once per hour. A day costs no time if the suite moves the
      // clock.
      await pass('advance' in backend ? 24 * HOUR : LONG_AFTER)
      const end = performance.now() + PATIENCE
      while ((await backend.stored()) > 1 && performance.now() < end) await wait(50)
      assert.equal(await backend.stored(), 1, 'how many are stored')
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
]
