import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'
import {
  DAY,
  deadline,
  fails,
  fresh,
  HOUR,
  load,
  MINUTE,
  plain,
  read,
  ruleOf,
  type StoreRule,
  save,
} from './fixture.ts'

const rule = ruleOf('policy/expiry')

/** When a session ends: the same on every database, to the millisecond, by the clock of the application. */

const ID = 'the-session-id'

/** Whether the session is there; every way to ask must agree. */
async function isLive(store: SessionStore): Promise<boolean> {
  const found = (await store.get(ID)) !== null
  const count = found ? 1 : 0
  assert.equal((await store.ids()).length, count, 'how many ids')
  assert.equal(Object.keys(await store.all()).length, count, 'how many in all()')
  assert.equal(await store.length(), count, 'length')
  assert.equal((await store.list()).sessions.length, count, 'how many in list()')
  return found
}

interface Cookie {
  expires?: unknown
  originalMaxAge?: number
  maxAge?: number
}

/** What cookies say, and how long, in milliseconds, the session then lives. */
const lives: Record<string, (now: number) => [cookie: Cookie, life: number]> = {
  'a-Date': (now) => [{ expires: new Date(now + HOUR + 1) }, HOUR + 1],
  'a-date-as-text': (now) => [{ expires: new Date(now + HOUR + 1).toISOString() }, HOUR + 1],
  milliseconds: (now) => [{ expires: now + HOUR + 1 }, HOUR + 1],
  'a-max-age-alone': () => [{ originalMaxAge: HOUR + 1 }, HOUR + 1],
  'a-date-before-its-max-age': (now) => [{ expires: new Date(now + HOUR), originalMaxAge: DAY }, HOUR],
  'no-deadline': () => [{}, DAY],
  'an-invalid-Date': () => [{ expires: new Date(Number.NaN) }, DAY],
  'an-invalid-Date-and-a-max-age': () => [{ expires: new Date(Number.NaN), originalMaxAge: HOUR }, HOUR],
  'no-deadline-as-false': () => [{ expires: false }, DAY],
}

const LATEST = 8.64e15

const never: Record<string, (now: number) => Cookie> = {
  'at-this-moment': (now) => ({ expires: new Date(now) }),
  'an-hour-ago': (now) => ({ expires: new Date(now - HOUR) }),
  'at-the-epoch': () => ({ expires: new Date(0) }),
  'before-the-epoch': () => ({ expires: new Date(-1) }),
  'at-the-earliest-time': () => ({ expires: new Date(-LATEST) }),
  'after-no-time': () => ({ originalMaxAge: 0 }),
  'after-negative-time': () => ({ originalMaxAge: -1 }),
  'after-negative-infinity': () => ({ originalMaxAge: Number.NEGATIVE_INFINITY }),
}

const noDeadlines: Record<string, Cookie> = {
  'no-date-as-text': { expires: 'geheim' },
  'an-empty-text': { expires: '' },
  NaN: { expires: Number.NaN },
  infinity: { expires: Number.POSITIVE_INFINITY },
  'a-time-after-the-latest': { expires: LATEST + 2 },
  'a-text-after-the-latest': { expires: '+275760-09-13T00:00:00.001Z' },
  true: { expires: true },
  'an-object': { expires: {} },
  'a-max-age-of-NaN': { originalMaxAge: Number.NaN },
}

export const expiry: StoreRule[] = [
  ...Object.entries(lives).map(([name, make]) =>
    rule(
      `a-session-with-${name}-ends-in-time`,
      'A session ends early, late or never.',
      async ({ one, other, clock }) => {
        const [cookie, life] = make(clock.now)
        await one().set(ID, plain({}, cookie))
        assert.ok(await isLive(other()), 'at once')
        clock.now += life - 1
        assert.ok(await isLive(other()), 'one millisecond before its end')
        clock.now += 1
        assert.ok(!(await isLive(other())), 'at its end')
      },
    ),
  ),
  ...Object.entries(never).map(([name, make]) =>
    rule(
      `a-session-that-ends-${name}-is-gone`,
      'A session that is to end at once lives for a day, or for ever.',
      async ({ one, other, clock }) => {
        const store = one()
        await store.set(ID, plain({}, make(clock.now)))
        assert.ok(!(await isLive(other())), 'a new one')
        await store.set(ID, plain())
        assert.ok(await isLive(other()))
        await store.set(ID, plain({}, make(clock.now)))
        assert.ok(!(await isLive(other())), 'over one that is there')
        await store.set(ID, plain())
        const loaded = await load(store, ID)
        Object.assign(loaded.cookie, make(clock.now))
        await save(loaded)
        assert.ok(!(await isLive(other())), 'one that was read')
      },
    ),
  ),
  ...Object.entries(noDeadlines).map(([name, cookie]) =>
    rule(
      `${name}-is-no-deadline`,
      'A mistake in a cookie ends the session, or keeps it for ever.',
      async ({ one, clock }) => {
        const store = one()
        await store.set(ID, plain({ name: 'Ada' }, { expires: new Date(clock.now + HOUR) }))
        await fails('INVALID_SESSION', store.set(ID, plain({}, cookie)), ID, 'geheim')
        await fails('INVALID_SESSION', store.touch(ID, plain({}, cookie)), ID, 'geheim')
        assert.deepEqual(await read(store, ID), { name: 'Ada' })
        assert.equal(await deadline(store, ID), clock.now + HOUR)
      },
    ),
  ),
  rule(
    'a-session-may-end-in-the-year-275760',
    'A deadline far away overflows, and the session is gone.',
    async ({ one, other, clock }) => {
      for (const cookie of [
        { expires: new Date(LATEST) },
        { originalMaxAge: Number.POSITIVE_INFINITY },
        { originalMaxAge: LATEST },
      ]) {
        await one().set(ID, plain({}, cookie))
        assert.ok(await isLive(other()))
        await one().touch(ID, plain({}, cookie))
        assert.ok(await isLive(other()))
      }
      clock.now = LATEST - 1
      assert.ok(await isLive(other()))
    },
  ),
  rule(
    'durations-may-have-fractions',
    'A database that takes only whole numbers refuses every save.',
    async ({ one, other, clock }) => {
      const fractions = { idleTimeout: HOUR + 0.5, absoluteTimeout: DAY + 0.25, tombstoneTimeout: HOUR / 7 }
      const store = one({ ...fractions, now: () => clock.now + 0.125 })
      await store.set(ID, plain())
      await store.touch(ID, plain())
      assert.ok(await isLive(other()))
      await save(Object.assign(await load(store, ID), { name: 'Ada' }))
      await store.set('another', plain({}, { expires: clock.now + HOUR + 0.5 }))
      await store.destroy(ID)
      assert.deepEqual(await other().ids(), [store.handle('another')])
    },
  ),
  rule(
    'idleTimeout-is-for-cookies-without-a-deadline',
    'Sessions of browsers that stay open never end, or too early.',
    async ({ one, other, clock }) => {
      const store = one({ idleTimeout: 2 * HOUR })
      await store.set(ID, plain())
      clock.now += HOUR
      await store.touch(ID, plain())
      clock.now += 2 * HOUR - 1
      assert.ok(await isLive(other()))
      await store.set(ID, plain())
      clock.now += 2 * HOUR - 1
      assert.ok(await isLive(other()))
      clock.now += 1
      assert.ok(!(await isLive(other())))
      await store.set(ID, plain({}, { expires: new Date(clock.now + HOUR) }))
      clock.now += HOUR
      assert.ok(!(await isLive(other())), "the cookie's own deadline is the shorter one")
    },
  ),
  rule(
    'a-cookie-without-a-deadline-stays-without',
    'A session that should end with the browser outlives it.',
    async ({ one, other }) => {
      for (const expires of [null, undefined, false]) {
        await one().set(ID, plain({}, { expires }))
        await one().touch(ID, plain({}, { expires }))
        assert.equal((await other().get(ID))?.cookie.expires ?? null, expires ?? null)
      }
    },
  ),
  rule(
    "get-tells-the-session's-deadline",
    'A rolling session seems about to end, or ended, to the application.',
    async ({ one, other, clock }) => {
      const expires = new Date(clock.now + HOUR + 1)
      for (const given of [expires, expires.toISOString(), expires.getTime()]) {
        await one().set(ID, plain({}, { expires: given, originalMaxAge: HOUR }))
        const { cookie } = (await other().get(ID))!
        assert.deepEqual(cookie.expires, expires)
        assert.equal(cookie.originalMaxAge, HOUR)
      }
      const loaded = await load(other(), ID)
      assert.deepEqual(loaded.cookie.expires, expires)
      assert.equal(loaded.cookie.originalMaxAge, HOUR)
    },
  ),
  rule(
    'an-expired-session-cannot-be-saved',
    'A session that ended goes on with the next late save.',
    async ({ one, other, clock }) => {
      const store = one()
      await store.set(ID, plain({}, { expires: new Date(clock.now + HOUR) }))
      const loaded = await load(store, ID)
      clock.now += 2 * HOUR
      loaded.cookie.expires = new Date(clock.now + HOUR)
      await save(loaded)
      assert.ok(!(await isLive(other())))
    },
  ),
  rule(
    'absoluteTimeout-ends-a-session-that-is-used',
    'A stolen session lives as long as its thief uses it.',
    async ({ one, other, clock }) => {
      const options = { absoluteTimeout: 3 * HOUR }
      const [store, reader] = [one(options), other(options)]
      const start = clock.now
      await save(fresh(store, ID, { turn: 0 }))
      for (const turn of [1, 2]) {
        clock.now += HOUR
        const loaded = await load(reader, ID)
        loaded.turn = turn
        loaded.cookie.expires = new Date(clock.now + DAY)
        await save(loaded)
        await reader.touch(ID, loaded)
        await reader.touch(ID, plain({}, { expires: new Date(clock.now + DAY) }))
        assert.equal(await deadline(store, ID), start + 3 * HOUR)
      }
      clock.now = start + 3 * HOUR - 1
      assert.deepEqual(await read(store, ID), { turn: 2 })
      clock.now += 1
      assert.ok(!(await isLive(reader)))
    },
  ),
  rule(
    'absoluteTimeout-ends-a-session-of-plain-saves',
    'A session of another framework never ends, or cannot begin again.',
    async ({ one, other, clock }) => {
      const options = { absoluteTimeout: 2 * HOUR }
      const [store, reader] = [one(options), other(options)]
      await store.set(ID, plain({ turn: 1 }))
      clock.now += HOUR
      await store.set(ID, plain({ turn: 2 }))
      clock.now += HOUR - 1
      assert.ok(await isLive(reader))
      clock.now += 1
      assert.ok(!(await isLive(reader)))
      clock.now += MINUTE
      await store.set(ID, plain({ turn: 3 }))
      assert.deepEqual(await read(reader, ID), { turn: 3 }, 'the id is used again')
    },
  ),
]
