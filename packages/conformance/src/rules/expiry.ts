import assert from 'node:assert/strict'
import type { Context } from '../engine/context.ts'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, isRefused, LONG_AFTER, makeIds, retryIfLate, SHORT, YEAR } from './shared.ts'

/** Lives that end in four different parts of a second, because some stores count in seconds. */
const LIVES = [1000, 1250, 1500, 1750] as const

/** Saves a session per life, and runs `check` this many milliseconds after the end of each. */
async function checkAround(
  { store, session, now, pass }: Context,
  after: number,
  check: (id: string, end: number) => Promise<void>,
): Promise<void> {
  const start = now()
  await Promise.all(LIVES.map((life) => store.set(`id-${life}`, session({ life }, life))))
  for (const life of LIVES) {
    const end = start + life
    await pass(Math.max(0, end + after - now()))
    await check(`id-${life}`, end)
  }
}

/** Rules about the end of a session by its cookie. */
export const expiry: readonly Rule[] = [
  {
    id: 'expiry/ends-with-its-cookie',
    title: 'a session is gone when the deadline of its cookie has passed',
    level: 'must',
    why: 'A cookie that was stolen, or left on a shared computer, opens the session for ever.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Session_Management_Cheat_Sheet.html',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'expiry/lives-until-its-deadline',
    title: 'a session is there for as long as its cookie says, to the last fifth of a second',
    level: 'should',
    why: 'Whoever works without pause is logged out before the time that was promised.',
    check: retryIfLate(async (context, _unit, assertBefore) => {
      const { store, now } = context
      let isChecked = false
      await checkAround(context, -200, async (id, end) => {
        const found = await store.data(id)
        if (now() >= end) return
        isChecked = true
        assert.ok(found, `${id} was gone 200 ms before its end`)
      })
      if (!isChecked) assertBefore(0)
    }),
  },
  {
    id: 'expiry/gone-at-its-deadline',
    title: 'a session is gone a fifth of a second after its deadline',
    level: 'should',
    why: 'The server still takes for logged in whom the browser has logged out.',
    async check(context) {
      await checkAround(context, 200, async (id) => {
        assert.equal(await context.store.data(id), undefined, `${id} was there 200 ms after its end`)
      })
    },
  },
  {
    id: 'expiry/short-session-is-there-at-once',
    title: 'a session of 700 ms can be read when it was saved',
    level: 'should',
    why: 'Deadlines in whole seconds end short sessions before they begin: a one-time step is never reached.',
    check: retryIfLate(async ({ store, session, now, pass }, _unit, assertBefore) => {
      let isChecked = false
      for (const id of makeIds(4)) {
        const end = now() + 700
        await store.set(id, session({ name: 'Ada' }, 700))
        const found = await store.data(id)
        if (now() < end) {
          isChecked = true
          expectData(found, { name: 'Ada' })
        }
        // The next session starts in another part of a second.
        await pass(250)
      }
      if (!isChecked) assertBefore(0)
    }),
  },
  {
    id: 'expiry/max-age-of-zero-is-gone',
    title: 'a session whose `maxAge` is 0 is gone at the next request',
    level: 'should',
    why: 'To set `cookie.maxAge = 0` is a way to log out: the session goes on for a day, or for ever.',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, 0))
      // The next request comes at least some milliseconds later.
      await pass(10)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'expiry/past-deadline-is-gone',
    title: 'a session that is saved with a deadline in the past is gone, and its save is no error',
    level: 'must',
    why: 'A cookie that was made to end at once opens the session all the same, or the save fails the request.',
    source: 'tj/connect-redis#321',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }, -HOUR))
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'expiry/past-deadline-ends-a-live-session',
    title: 'a save with a deadline in the past ends the session that was there',
    level: 'must',
    why: 'An application that logs out by the deadline leaves the session as it was before.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      await store.set(ID, session({ name: 'Ada' }, -HOUR))
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'expiry/save-extends',
    title: 'a save with a later deadline extends the session',
    level: 'must',
    why: 'Whoever ticks "remember me" is logged out as early as before.',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await store.set(ID, session({ name: 'Ada' }, HOUR))
      await pass(LONG_AFTER)
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'expiry/save-shortens',
    title: 'a save with an earlier deadline makes the session end earlier',
    level: 'must',
    why: 'Whoever leaves "remember me" unticked stays logged in on a shared computer.',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, HOUR))
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'expiry/deadline-of-30-years',
    title: 'a session whose deadline is 30 years away is there',
    level: 'must',
    why: 'A timer or a column of 32 bits overflows, and "remember me" ends at once.',
    source: 'expressjs/session#599',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, 30 * YEAR))
      await pass(50)
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'expiry/deadline-in-the-year-9999',
    title: 'a session whose deadline is in the year 9999 is there',
    level: 'info',
    why: 'A date that stands for "never" ends the session at once.',
    async check({ store, session, now }) {
      await store.set(ID, session({ name: 'Ada' }, Date.UTC(9999, 0) - now()))
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'expiry/max-age-with-a-fraction',
    title: 'a session whose `maxAge` is no whole number of milliseconds is kept',
    level: 'must',
    why: 'A `maxAge` that was calculated fails every save, where the database takes whole numbers only.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }, HOUR / 7))
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'expiry/endless-max-age-is-kept-or-refused',
    title: 'a session whose `maxAge` is `Infinity` is kept, or its save is an error',
    level: 'should',
    why: 'What was meant to last for ever is gone at once, and nobody is told.',
    async check({ store, session }) {
      const endless = session({ name: 'Ada' })
      // The setter `cookie.maxAge = Infinity` leaves the same values.
      endless.cookie.expires = new Date(Number.POSITIVE_INFINITY)
      endless.cookie.originalMaxAge = Number.NaN
      const refused = await isRefused(store.set(ID, endless))
      if (!refused) expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'expiry/invalid-date-is-no-error',
    title:
      'a session whose `expires` is a Date without a time is saved and touched without an error, and is there',
    level: 'should',
    why: 'What the middleware says of such a cookie is hidden by a second error, or the session is gone at once.',
    async check({ store, session }) {
      const invalid = session({ name: 'Ada' })
      invalid.cookie.expires = new Date(Number.NaN)
      invalid.cookie.originalMaxAge = null
      await store.set(ID, invalid)
      if (store.raw.touch) await store.touch(ID, invalid)
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'expiry/what-was-read-keeps-its-deadline',
    title: 'a session that was read and saved again as it is ends when it would have',
    level: 'should',
    why: 'A script that changes sessions makes all of them last for a day, or for ever.',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, SHORT))
      const read = await store.get(ID)
      // Reading short sessions is what `expiry/short-session-is-there-at-once` is about.
      if (!read) return
      await store.set(ID, read)
      await pass(LONG_AFTER)
      assert.equal(await store.data(ID), undefined)
    },
  },
  {
    id: 'expiry/reading-does-not-extend',
    title: 'a session that is read, and neither touched nor saved, ends when it would have',
    level: 'info',
    why: 'A look at the sessions keeps alive what nobody uses.',
    async check({ store, session, pass }) {
      await store.set(ID, session({ name: 'Ada' }, 2 * SHORT))
      await pass(1.5 * SHORT)
      await store.get(ID)
      await pass(1.8 * SHORT)
      assert.equal(await store.data(ID), undefined)
    },
  },
]
