import assert from 'node:assert/strict'
import { nextTick } from 'node:process'
import type { SessionStore } from '@session-stores/core'
import { DAY, HOUR, MINUTE } from '../common.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { ID, load, makeFresh, makeLasting, makePlain, read, readDeadline, save } from './sessions.ts'

/**
 * Rules about when a session ends: to the millisecond, by the clock of the application, on every
 * database.
 */

const rule = prefixRules('policy/expiry')

/** Returns whether the session is live, and checks that all calls of the store agree on this. */
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

/** Cookies, and how long a session with such a cookie lives, in milliseconds. */
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

const pastDeadlines: Record<string, (now: number) => Cookie> = {
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
      async ({ open, openOther, clock }) => {
        const [cookie, life] = make(clock.now)
        await open().set(ID, makePlain({}, cookie))
        assert.ok(await isLive(openOther()), 'at once')
        clock.now += life - 1
        assert.ok(await isLive(openOther()), 'one millisecond before its end')
        clock.now += 1
        assert.ok(!(await isLive(openOther())), 'at its end')
      },
    ),
  ),
  ...Object.entries(pastDeadlines).map(([name, make]) =>
    rule(
      `a-session-that-ends-${name}-is-gone`,
      'A session that is to end at once lives for a day, or for ever.',
      async ({ open, openOther, clock }) => {
        const store = open()
        await store.set(ID, makePlain({}, make(clock.now)))
        assert.ok(!(await isLive(openOther())), 'a new one')
        await store.set(ID, makePlain())
        assert.ok(await isLive(openOther()))
        await store.set(ID, makePlain({}, make(clock.now)))
        assert.ok(!(await isLive(openOther())), 'over one that is there')
        await store.set(ID, makePlain())
        const loaded = await load(store, ID)
        Object.assign(loaded.cookie, make(clock.now))
        await save(loaded)
        assert.ok(!(await isLive(openOther())), 'one that was read')
      },
    ),
  ),
  ...Object.entries(noDeadlines).map(([name, cookie]) =>
    rule(
      `${name}-is-no-deadline`,
      'A mistake in a cookie ends the session, or keeps it for ever.',
      async ({ open, clock }) => {
        const store = open()
        await store.set(ID, makePlain({ name: 'Ada' }, { expires: new Date(clock.now + HOUR) }))
        await assertFails('INVALID_SESSION', store.set(ID, makePlain({}, cookie)), ID, 'geheim')
        await assertFails('INVALID_SESSION', store.touch(ID, makePlain({}, cookie)), ID, 'geheim')
        assert.deepEqual(await read(store, ID), { name: 'Ada' })
        assert.equal(await readDeadline(store, ID), clock.now + HOUR)
      },
    ),
  ),
  rule(
    'a-session-may-end-in-the-year-275760',
    'A deadline far away overflows, and the session is gone.',
    async ({ open, openOther, clock }) => {
      for (const cookie of [
        { expires: new Date(LATEST) },
        { originalMaxAge: Number.POSITIVE_INFINITY },
        { originalMaxAge: LATEST },
      ]) {
        await open().set(ID, makePlain({}, cookie))
        assert.ok(await isLive(openOther()))
        await open().touch(ID, makePlain({}, cookie))
        assert.ok(await isLive(openOther()))
      }
      clock.now = LATEST - 1
      assert.ok(await isLive(openOther()))
    },
  ),
  rule(
    'durations-may-have-fractions',
    'A database that takes only whole numbers refuses every save.',
    async ({ open, openOther, clock }) => {
      const fractions = { idleTimeout: HOUR + 0.5, absoluteTimeout: DAY + 0.25, tombstoneTimeout: HOUR / 7 }
      const store = open({ ...fractions, now: () => clock.now + 0.125 })
      await store.set(ID, makePlain())
      await store.touch(ID, makePlain())
      assert.ok(await isLive(openOther()))
      await save(Object.assign(await load(store, ID), { name: 'Ada' }))
      await store.set('another', makePlain({}, { expires: clock.now + HOUR + 0.5 }))
      await store.destroy(ID)
      assert.deepEqual(await openOther().ids(), [store.handle('another')])
    },
  ),
  rule(
    'idleTimeout-is-for-cookies-without-a-deadline',
    'Sessions of browsers that stay open never end, or too early.',
    async ({ open, openOther, clock }) => {
      const store = open({ idleTimeout: 2 * HOUR })
      await store.set(ID, makePlain())
      clock.now += HOUR
      await store.touch(ID, makePlain())
      clock.now += 2 * HOUR - 1
      assert.ok(await isLive(openOther()))
      await store.set(ID, makePlain())
      clock.now += 2 * HOUR - 1
      assert.ok(await isLive(openOther()))
      clock.now += 1
      assert.ok(!(await isLive(openOther())))
      await store.set(ID, makePlain({}, { expires: new Date(clock.now + HOUR) }))
      clock.now += HOUR
      assert.ok(!(await isLive(openOther())), "the cookie's own deadline is the shorter one")
    },
  ),
  rule(
    'a-cookie-without-a-deadline-stays-without',
    'A session that should end with the browser outlives it.',
    async ({ open, openOther }) => {
      for (const expires of [null, undefined, false]) {
        await open().set(ID, makePlain({}, { expires }))
        await open().touch(ID, makePlain({}, { expires }))
        assert.equal((await openOther().get(ID))?.cookie.expires ?? null, expires ?? null)
      }
    },
  ),
  rule(
    "get-tells-the-session's-deadline",
    'A rolling session seems about to end, or ended, to the application.',
    async ({ open, openOther, clock }) => {
      const expires = new Date(clock.now + HOUR + 1)
      for (const given of [expires, expires.toISOString(), expires.getTime()]) {
        await open().set(ID, makePlain({}, { expires: given, originalMaxAge: HOUR }))
        const { cookie } = (await openOther().get(ID))!
        assert.deepEqual(cookie.expires, expires)
        assert.equal(cookie.originalMaxAge, HOUR)
      }
      const loaded = await load(openOther(), ID)
      assert.deepEqual(loaded.cookie.expires, expires)
      assert.equal(loaded.cookie.originalMaxAge, HOUR)
    },
  ),
  rule(
    'an-expired-session-cannot-be-saved',
    'A session that ended goes on with the next late save.',
    async ({ open, openOther, clock }) => {
      const store = open()
      await store.set(ID, makePlain({}, { expires: new Date(clock.now + HOUR) }))
      const loaded = await load(store, ID)
      clock.now += 2 * HOUR
      loaded.cookie.expires = new Date(clock.now + HOUR)
      await save(loaded)
      assert.ok(!(await isLive(openOther())))
    },
  ),
  rule(
    'absoluteTimeout-ends-a-session-that-is-used',
    'A stolen session lives as long as its thief uses it.',
    async ({ open, openOther, clock }) => {
      const options = { absoluteTimeout: 3 * HOUR }
      const [store, reader] = [open(options), openOther(options)]
      const start = clock.now
      await save(makeFresh(store, ID, { turn: 0 }))
      for (const turn of [1, 2]) {
        clock.now += HOUR
        const loaded = await load(reader, ID)
        loaded.turn = turn
        loaded.cookie.expires = new Date(clock.now + DAY)
        await save(loaded)
        await reader.touch(ID, loaded)
        await reader.touch(ID, makePlain({}, { expires: new Date(clock.now + DAY) }))
        assert.equal(await readDeadline(store, ID), start + 3 * HOUR)
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
    async ({ open, openOther, clock }) => {
      const options = { absoluteTimeout: 2 * HOUR }
      const [store, reader] = [open(options), openOther(options)]
      await store.set(ID, makePlain({ turn: 1 }))
      clock.now += HOUR
      await store.set(ID, makePlain({ turn: 2 }))
      clock.now += HOUR - 1
      assert.ok(await isLive(reader))
      clock.now += 1
      assert.ok(!(await isLive(reader)))
      clock.now += MINUTE
      await store.set(ID, makePlain({ turn: 3 }))
      assert.deepEqual(await read(reader, ID), { turn: 3 }, 'the id is used again')
    },
  ),
  ...Object.entries({ deadline: undefined, 'absolute-end': HOUR }).map(([end, absoluteTimeout]) =>
    rule(
      `a-plain-save-at-the-${end}-begins-a-new-session-although-the-clock-is-set-back`,
      'A save fails as if somebody had signed out, although the session before it has only expired.',
      async ({ open, openOn, openOther, drivers: [driver], clock }) => {
        const life = absoluteTimeout === undefined ? HOUR : DAY
        await open().set(ID, makeLasting(clock.now, life, { turn: 1 }))
        clock.now += HOUR - 1
        let reads = 0
        const store = openOn(
          {
            ...driver,
            async read(keys) {
              const rows = await driver.read(keys)
              if (reads++ > 0) return rows
              // The session ends while the save reads it, and lives again when the save writes.
              clock.now += 2
              nextTick(() => {
                clock.now -= 500
              })
              return rows
            },
            async write(...args) {
              const landed = await driver.write(...args)
              clock.now -= 500
              return landed
            },
          },
          { absoluteTimeout },
        )
        await store.set(ID, makeLasting(clock.now, 2 * DAY, { turn: 2 }))
        assert.deepEqual(await read(openOther(), ID), { turn: 2 })
      },
    ),
  ),
]
