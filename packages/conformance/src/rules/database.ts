import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { HOUR, holds, ID, inTime, LONG_AFTER, SHORT } from './shared.ts'

/** What is set otherwise in the database than in the application: its time zone, its clock, the names of its tables. */

/** Far apart. */
const ZONES = {
  options: { timeZones: ['America/New_York', 'Asia/Tokyo'] },
  needs: ['timeZones', 'second'],
} as const

const HALF_AN_HOUR = HOUR / 2

/** A session is there, and is gone in time, by the clock of the application. */
const lives = inTime(async ({ store, session, now, pass }, unit, before) => {
  const end = now() + 2 * unit
  await store.set(ID, session({ name: 'Ada' }, 2 * unit))
  const found = await store.data(ID)
  before(end)
  holds(found, { name: 'Ada' })
  await pass(4 * unit)
  assert.equal(await store.data(ID), undefined)
})

/** For stores that name a table as it is, and for those that put it in quotes. Short: some databases cut names off. */
const CODE = 'x(a);DROP TABLE mine;--"(a);DROP TABLE mine;--'

export const database: readonly Rule[] = [
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
        holds(await one.data('west'), { i: 1 })
        holds(await one.data('east'), { i: 2 })
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
  {
    id: 'clock/ahead-of-the-database',
    title: 'where the clock of the application is ahead of that of the database, sessions end by the first',
    level: 'should',
    why: 'A session that has ended opens for as long as the clocks differ.',
    source: 'voxpelli/node-connect-pg-simple#25',
    options: { skew: HALF_AN_HOUR },
    needs: ['skew'],
    check: lives,
  },
  {
    id: 'clock/behind-the-database',
    title: 'where the clock of the application is behind that of the database, sessions end by the first',
    level: 'should',
    why: 'Everybody is logged out at once: to the database each session has ended before it begins.',
    source: 'voxpelli/node-connect-pg-simple#25',
    options: { skew: -HALF_AN_HOUR },
    needs: ['skew'],
    check: lives,
  },
  {
    id: 'table/any-name',
    title: 'a table whose name has spaces, capitals and quotes in it holds sessions, or is refused',
    level: 'should',
    why: 'The store saves nothing, and nobody is told; or the process ends.',
    options: { tables: ['sessions', `Ada's "own" Sessions`] },
    mayRefuse: true,
    needs: ['tables', 'second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const refused = await second.set(ID, session({ name: 'Bob' })).then(
        () => false,
        () => true,
      )
      if (!refused) holds(await second.data(ID), { name: 'Bob' })
      holds(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'table/is-no-code',
    title:
      'the name of a table is never executed: it holds sessions, or is refused, and no other table is harmed',
    level: 'should',
    why: 'A name that comes from a customer drops the sessions of all the others.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html',
    options: { tables: ['mine', CODE] },
    mayRefuse: true,
    needs: ['tables', 'second'],
    async check({ store, second, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      const calls = [
        () => second.set(ID, session({ name: 'Bob' })),
        () => second.get(ID),
        () => second.destroy(ID),
      ]
      // That it works is another rule's.
      for (const call of calls) await call().catch(() => {})
      holds(await store.data(ID), { name: 'Ada' })
    },
  },
]
