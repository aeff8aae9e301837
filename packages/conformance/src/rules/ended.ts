import assert from 'node:assert/strict'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, LONG_AFTER, makeIds, README, SHORT } from './shared.ts'

/** Rules that nothing is left of a session after its deadline. */
export const ended: readonly Rule[] = [
  {
    id: 'ended/is-no-error',
    title:
      'to read a session that has ended calls back without an error and without a session, again and again',
    level: 'must',
    why: 'Whoever comes back the next morning gets an error page instead of the login.',
    source: README,
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await pass(LONG_AFTER)
      for (let turn = 0; turn < 3; turn++) assert.ok(!(await store.get(ID)))
    },
  },
  {
    id: 'ended/can-be-destroyed',
    title: 'to destroy a session that has ended is no error',
    level: 'must',
    why: 'The logout of whoever was away for long is an error page.',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await pass(LONG_AFTER)
      await store.destroy(ID)
    },
  },
  {
    id: 'ended/id-begins-anew',
    title: 'a session that is saved under the id of one that has ended is there, with nothing of the old one',
    level: 'must',
    why: 'With ids of its own an application cannot log in again, or shows what was there before.',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada', old: true }, SHORT))
      await pass(LONG_AFTER)
      await store.set(ID, session({ name: 'Bob' }))
      expectData(await store.data(ID), { name: 'Bob', old: undefined })
    },
  },
  {
    id: 'ended/ends-only-its-own',
    title: 'of many sessions those end whose deadline has passed, and no other',
    level: 'must',
    why: 'The end of one session logs out somebody else.',
    async check({ store, session, pass }) {
      const all = makeIds(40)
      await Promise.all(all.map((id, i) => store.set(id, session({ i }, i % 2 ? SHORT : HOUR))))
      await pass(LONG_AFTER)
      const found = await Promise.all(all.map((id) => store.data(id)))
      assert.deepEqual(
        found.map((one) => one?.i),
        all.map((_, i) => (i % 2 ? undefined : i)),
      )
    },
  },
  {
    id: 'ended/ends-in-every-process',
    title: 'a session that another process read before is gone there too at its deadline',
    level: 'must',
    why: 'Whether somebody is still logged in depends on the server that answers.',
    needs: ['second'],
    async check({ store, second, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await second.get(ID)
      await pass(LONG_AFTER)
      assert.equal(await second.data(ID), undefined)
    },
  },
  {
    id: 'ended/is-not-in-all',
    title: '`all` leaves out sessions that have ended, also before they are cleaned up',
    level: 'should',
    why: 'A list of who is logged in names people who left.',
    methods: ['all'],
    async check({ store, session, pass }) {
      await Promise.all([
        store.set('live', session({ name: 'Ada' })),
        store.set('ended', session({ name: 'Bob' }, SHORT)),
      ])
      await pass(LONG_AFTER)
      const names = (await store.all()).map(({ name }) => name)
      assert.ok(!names.includes('Bob'), `\`all\` returns ${names.join(' and ')}`)
    },
  },
  {
    id: 'ended/is-not-counted',
    title: '`length` leaves out sessions that have ended, also before they are cleaned up',
    level: 'should',
    why: 'The number of users who are there never goes down.',
    methods: ['length'],
    async check({ store, session, pass }) {
      await Promise.all([
        store.set('live', session({ name: 'Ada' })),
        store.set('ended', session({ name: 'Bob' }, SHORT)),
      ])
      await pass(LONG_AFTER)
      assert.ok((await store.length()) <= 1, '`length` counts the session that has ended')
    },
  },
  {
    id: 'ended/touch-does-not-revive',
    title: 'a touch does not bring back a session that has ended',
    level: 'should',
    why: 'A session that was over goes on: whoever finds the browser open an hour later is logged in.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html',
    methods: ['touch'],
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await pass(LONG_AFTER)
      // Some stores fail such a touch, which is what `touch/of-nobody-is-no-error` is about.
      await store.touch(ID, session({ name: 'Ada' })).catch(() => {})
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'ended/late-save-does-not-revive',
    title: 'a request that read a session before its deadline, and saves it after, does not bring it back',
    level: 'info',
    why: 'A slow request makes a session last that was over.',
    async check({ store, session, pass, now }) {
      await store.set(ID, session({ name: 'Ada' }, 2 * SHORT))
      const late = await store.open(ID)
      await pass(LONG_AFTER + SHORT)
      late.cookie.expires = new Date(now() + HOUR)
      await store.set(ID, late)
      assert.equal(await store.data(ID), undefined)
    },
  },
]
