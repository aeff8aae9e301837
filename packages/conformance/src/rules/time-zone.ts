import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, LONG_AFTER, SHORT } from './shared.ts'

/** Two zones that are far apart. */
const ZONES = {
  options: { timeZones: ['America/New_York', 'Asia/Tokyo'] },
  needs: ['timeZones', 'second'],
} as const

/** Rules about a database whose time zone is not that of the application. */
export const timeZone: readonly Rule[] = [
  {
    id: 'time-zone/of-the-database-ends-nothing',
    title:
      'a session of an hour is there for stores whose sessions with the database have different time zones',
    level: 'should',
    why: 'After a change of a setting, or on another server, everybody is logged out.',
    source: 'gx0r/connect-session-knex#51',
    ...ZONES,
    async check({ store, second, session }) {
      await Promise.all([store.set('west', session({ i: 1 })), second.set('east', session({ i: 2 }))])
      for (const one of [store, second]) {
        expectData(await one.data('west'), { i: 1 })
        expectData(await one.data('east'), { i: 2 })
      }
    },
  },
  {
    id: 'time-zone/of-the-database-extends-nothing',
    title: 'a session ends in time for stores whose sessions with the database have different time zones',
    level: 'should',
    why: 'A session that has ended opens for hours on another server, or after a change of a setting.',
    source: 'gx0r/connect-session-knex#51',
    ...ZONES,
    async check({ store, second, session, pass }) {
      await Promise.all([
        store.set('west', session({ i: 1 }, SHORT)),
        second.set('east', session({ i: 2 }, SHORT)),
      ])
      await pass(LONG_AFTER)
      for (const one of [store, second])
        assert.deepEqual([await one.data('west'), await one.data('east')], [undefined, undefined])
    },
  },
]
