import assert from 'node:assert/strict'
import { type CallEvent, events, type SessionStore } from '@session-stores/core'
import { DAY, HOUR, MINUTE } from '../common.ts'
import { prefixRules, recordMessages, type StoreRule } from './fixture.ts'
import { type Data, ID, load, makeLasting, read, readDeadline, roll, save } from './sessions.ts'

/** Rules about a touch, which extends a session and changes nothing else. */

const rule = prefixRules('policy/touch')

/** Makes a session of Ada that lives for `life` ms from `now`. */
const makeAda = (now: number, life: number): Data => makeLasting(now, life, { name: 'Ada' })

/** Returns the verbs of the driver that are called during the work. */
async function recordVerbs(work: () => Promise<unknown>): Promise<string[]> {
  return (await recordMessages<CallEvent>(events.call, work)).map(({ verb }) => verb)
}

/**
 * Loads the session, touches it `after` ms later, and returns the verbs of the driver that the
 * touch calls.
 */
async function touchLater(store: SessionStore, clock: { now: number }, after: number): Promise<string[]> {
  const loaded = await load(store, ID)
  clock.now += after
  roll(loaded, clock.now)
  return recordVerbs(() => store.touch(ID, loaded))
}

const settings: Record<string, unknown> = {
  originalMaxAge: 2 * HOUR,
  path: '/app',
  domain: 'example.org',
  secure: true,
  httpOnly: false,
  sameSite: 'strict',
  priority: 'high',
  partitioned: true,
}

export const touches: StoreRule[] = [
  rule('extends', 'Whoever works without pause is logged out.', async ({ open, openOther, clock }) => {
    const store = open()
    await store.set(ID, makeAda(clock.now, HOUR))
    assert.deepEqual(await touchLater(store, clock, 30 * MINUTE), ['touch'])
    const end = await readDeadline(openOther(), ID)
    // The deadline may be a little later, because touches of the same moment share deadlines.
    assert.ok(end >= clock.now + HOUR && end < clock.now + HOUR + 100, `${end - clock.now - HOUR} ms late`)
    assert.equal((await openOther().get(ID))!.cookie.originalMaxAge, HOUR)
    clock.now = end - 1
    assert.deepEqual(await read(openOther(), ID), { name: 'Ada' })
    clock.now += 1
    assert.equal(await read(openOther(), ID), null)
  }),
  rule(
    'beside-a-save-loses-nothing',
    'What one request saved is lost to another that only reads.',
    async ({ open, openOther, clock }) => {
      const [store, second] = [open(), openOther()]
      for (let i = 0; i < 50; i++) {
        await store.set(ID, makeAda(clock.now, HOUR))
        const [touched, saved] = await Promise.all([load(store, ID), load(second, ID)])
        saved.name = 'Grace'
        roll(touched, clock.now + MINUTE)
        await Promise.all(
          i % 2 ? [save(saved), store.touch(ID, touched)] : [store.touch(ID, touched), save(saved)],
        )
        assert.deepEqual(await read(store, ID), { name: 'Grace' })
      }
    },
  ),
  ...Object.entries(settings).map(([name, value]) =>
    rule(
      `keeps-a-change-of-the-cookie's-${name}`,
      'express-session only touches after a change of the cookie: without a save it is lost with the next request.',
      async ({ open, openOther, clock }) => {
        const store = open()
        await store.set(ID, makeAda(clock.now, HOUR))
        const loaded = await load(store, ID)
        const before = loaded.cookie.expires
        loaded.name = 'not to be saved'
        Object.assign(loaded.cookie, { [name]: value })
        roll(loaded, clock.now)
        await store.touch(ID, loaded)
        const { cookie } = (await openOther().get(ID))!
        assert.equal((cookie as unknown as Record<string, unknown>)[name], value)
        assert.deepEqual(await read(openOther(), ID), { name: 'Ada' })
        const expected = name === 'originalMaxAge' ? clock.now + 2 * HOUR : before!.getTime()
        assert.equal(await readDeadline(openOther(), ID), expected)
        // The stored setting is known from now on, so the next touch needs no save.
        assert.deepEqual(await touchLater(store, clock, MINUTE), ['touch'])
      },
    ),
  ),
  rule(
    'a-kept-change-of-the-cookie-undoes-no-save',
    'Remember-me undoes what another request saved.',
    async ({ open, openOther, clock }) => {
      const store = open()
      await store.set(ID, makeLasting(clock.now, HOUR, { cart: 1, old: 1 }))
      const loaded = await load(store, ID)
      const theirs = await load(openOther(), ID)
      theirs.cart = 2
      theirs.more = 3
      delete theirs.old
      await save(theirs)
      loaded.cookie.originalMaxAge = DAY
      roll(loaded, clock.now)
      await store.touch(ID, loaded)
      assert.deepEqual(await read(openOther(), ID), { cart: 2, more: 3 })
      assert.equal(await readDeadline(openOther(), ID), clock.now + DAY)
    },
  ),
  rule(
    'drift-of-the-max-age-is-no-change',
    'Every request writes the whole session again.',
    async ({ open, clock }) => {
      const store = open()
      await store.set(ID, makeAda(clock.now, HOUR))
      const loaded = await load(store, ID)
      // Such a difference occurs, because Session.touch() reads the clock twice.
      loaded.cookie.originalMaxAge = HOUR - 2
      assert.deepEqual(await recordVerbs(() => store.touch(ID, loaded)), ['touch'])
    },
  ),
  rule(
    'what-express-session-adds-to-a-cookie-is-no-change',
    "The first request of a session that a script made writes it again, and undoes another one's change.",
    async ({ open, clock }) => {
      const store = open()
      await store.set(ID, { cookie: {}, name: 'Ada' } as never)
      const loaded = await load(store, ID)
      assert.equal(loaded.cookie.path, '/')
      assert.equal(loaded.cookie.httpOnly, true)
      clock.now += MINUTE
      assert.deepEqual(await recordVerbs(() => store.touch(ID, loaded)), ['touch'])
    },
  ),
  rule(
    'touchAfter-saves-writes',
    'An option is there and does nothing.',
    async ({ open, openOther, clock }) => {
      const store = open({ touchAfter: HOUR })
      await store.set(ID, makeAda(clock.now, DAY))
      const end = clock.now + DAY
      assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), [])
      assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), [])
      assert.equal(await readDeadline(openOther(), ID), end)
      assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), ['touch'], 'what it would gain adds up')
      assert.ok((await readDeadline(openOther(), ID)) >= clock.now + DAY)
    },
  ),
  rule(
    'touchAfter-lets-no-session-lapse',
    'Whoever works without pause is logged out.',
    async ({ open, openOther, clock }) => {
      const store = open({ touchAfter: HOUR })
      await store.set(ID, makeAda(clock.now, 50 * MINUTE))
      for (let i = 0; i < 5; i++) {
        assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), ['touch'])
        assert.ok(await openOther().get(ID))
      }
    },
  ),
  rule(
    'touchAfter-holds-up-no-change',
    'A session that was cut short or extended stays as it was.',
    async ({ open, openOther, clock }) => {
      const store = open({ touchAfter: HOUR })
      await store.set(ID, makeAda(clock.now, DAY))
      const loaded = await load(store, ID)
      loaded.cookie.originalMaxAge = DAY + MINUTE
      roll(loaded, clock.now)
      await store.touch(ID, loaded)
      assert.equal(await readDeadline(openOther(), ID), clock.now + DAY + MINUTE)
      const shorter = await load(store, ID)
      const { originalMaxAge } = shorter.cookie
      shorter.cookie.expires = new Date(clock.now + DAY - MINUTE)
      shorter.cookie.originalMaxAge = originalMaxAge
      await store.touch(ID, shorter)
      assert.ok((await readDeadline(openOther(), ID)) < clock.now + DAY)
    },
  ),
  rule(
    'touches-at-once-all-count',
    'One of many requests at once ends the session early, or fails.',
    async ({ open, openOther, clock }) => {
      const stores = [open(), openOther()]
      await stores[0]!.set(ID, makeAda(clock.now, HOUR))
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => stores[i % 2]!.touch(ID, makeAda(clock.now + MINUTE, HOUR))),
      )
      assert.ok((await readDeadline(stores[0]!, ID)) >= clock.now + HOUR + MINUTE)
    },
  ),
]
