import assert from 'node:assert/strict'
import { type CallEvent, events, type SessionStore } from '@session-stores/core'
import {
  DAY,
  deadline,
  HOUR,
  load,
  MINUTE,
  plain,
  published,
  type RequestSession,
  read,
  ruleOf,
  type StoreRule,
  save,
} from './fixture.ts'

const rule = ruleOf('policy/touch')

/** Extending a session, and nothing else. */

const ID = 'the-session-id'

/** A session that lives for `life`, in milliseconds, with a cookie as the middleware makes it. */
const lasting = (now: number, life: number, data: object = { name: 'Ada' }) =>
  plain(data, { originalMaxAge: life, expires: new Date(now + life) })

/** As `req.session.touch()` at `now`; the cookie of express-session would ask the machine for the time. */
function roll({ cookie }: RequestSession, now: number): void {
  const { originalMaxAge } = cookie
  cookie.expires = new Date(now + originalMaxAge!)
  cookie.originalMaxAge = originalMaxAge
}

/** Which verbs of the driver it came to. */
async function verbs(work: () => Promise<unknown>): Promise<string[]> {
  return (await published<CallEvent>(events.call, work)).map(({ verb }) => verb)
}

/** Loads the session, rolls it `after` ms later and touches it: the verbs that this came to. */
async function touchLater(store: SessionStore, clock: { now: number }, after: number): Promise<string[]> {
  const loaded = await load(store, ID)
  clock.now += after
  roll(loaded, clock.now)
  return verbs(() => store.touch(ID, loaded))
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
  rule('extends', 'Whoever works without pause is logged out.', async ({ one, other, clock }) => {
    const store = one()
    await store.set(ID, lasting(clock.now, HOUR))
    assert.deepEqual(await touchLater(store, clock, 30 * MINUTE), ['touch'])
    const end = await deadline(other(), ID)
    // Touches share deadlines, a little later than asked for.
    assert.ok(end >= clock.now + HOUR && end < clock.now + HOUR + 100, `${end - clock.now - HOUR} ms late`)
    assert.equal((await other().get(ID))!.cookie.originalMaxAge, HOUR)
    clock.now = end - 1
    assert.deepEqual(await read(other(), ID), { name: 'Ada' })
    clock.now += 1
    assert.equal(await read(other(), ID), null)
  }),
  rule(
    'beside-a-save-loses-nothing',
    'What one request saved is lost to another that only reads.',
    async ({ one, other, clock }) => {
      const [store, second] = [one(), other()]
      for (let i = 0; i < 50; i++) {
        await store.set(ID, lasting(clock.now, HOUR, { name: 'Ada' }))
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
      async ({ one, other, clock }) => {
        const store = one()
        await store.set(ID, lasting(clock.now, HOUR))
        const loaded = await load(store, ID)
        const before = loaded.cookie.expires
        loaded.name = 'not to be saved'
        Object.assign(loaded.cookie, { [name]: value })
        roll(loaded, clock.now)
        await store.touch(ID, loaded)
        const { cookie } = (await other().get(ID))!
        assert.equal((cookie as unknown as Record<string, unknown>)[name], value)
        assert.deepEqual(await read(other(), ID), { name: 'Ada' })
        const expected = name === 'originalMaxAge' ? clock.now + 2 * HOUR : before!.getTime()
        assert.equal(await deadline(other(), ID), expected)
        // From now on it is known: no save is needed any more.
        assert.deepEqual(await touchLater(store, clock, MINUTE), ['touch'])
      },
    ),
  ),
  rule(
    'a-kept-change-of-the-cookie-undoes-no-save',
    'Remember-me undoes what another request saved.',
    async ({ one, other, clock }) => {
      const store = one()
      await store.set(ID, lasting(clock.now, HOUR, { cart: 1, old: 1 }))
      const loaded = await load(store, ID)
      const theirs = await load(other(), ID)
      theirs.cart = 2
      theirs.more = 3
      delete theirs.old
      await save(theirs)
      loaded.cookie.originalMaxAge = DAY
      roll(loaded, clock.now)
      await store.touch(ID, loaded)
      assert.deepEqual(await read(other(), ID), { cart: 2, more: 3 })
      assert.equal(await deadline(other(), ID), clock.now + DAY)
    },
  ),
  rule(
    'drift-of-the-max-age-is-no-change',
    'Every request writes the whole session again.',
    async ({ one, clock }) => {
      const store = one()
      await store.set(ID, lasting(clock.now, HOUR))
      const loaded = await load(store, ID)
      // Session.touch() reads the clock twice.
      loaded.cookie.originalMaxAge = HOUR - 2
      assert.deepEqual(await verbs(() => store.touch(ID, loaded)), ['touch'])
    },
  ),
  rule(
    'what-express-session-adds-to-a-cookie-is-no-change',
    "The first request of a session that a script made writes it again, and undoes another one's change.",
    async ({ one, clock }) => {
      const store = one()
      await store.set(ID, { cookie: {}, name: 'Ada' } as never)
      const loaded = await load(store, ID)
      assert.equal(loaded.cookie.path, '/')
      assert.equal(loaded.cookie.httpOnly, true)
      clock.now += MINUTE
      assert.deepEqual(await verbs(() => store.touch(ID, loaded)), ['touch'])
    },
  ),
  rule('touchAfter-saves-writes', 'An option is there and does nothing.', async ({ one, other, clock }) => {
    const store = one({ touchAfter: HOUR })
    await store.set(ID, lasting(clock.now, DAY))
    const end = clock.now + DAY
    assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), [])
    assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), [])
    assert.equal(await deadline(other(), ID), end)
    assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), ['touch'], 'what it would gain adds up')
    assert.ok((await deadline(other(), ID)) >= clock.now + DAY)
  }),
  rule(
    'touchAfter-lets-no-session-lapse',
    'Whoever works without pause is logged out.',
    async ({ one, other, clock }) => {
      const store = one({ touchAfter: HOUR })
      await store.set(ID, lasting(clock.now, 50 * MINUTE))
      for (let i = 0; i < 5; i++) {
        assert.deepEqual(await touchLater(store, clock, 20 * MINUTE), ['touch'])
        assert.ok(await other().get(ID))
      }
    },
  ),
  rule(
    'touchAfter-holds-up-no-change',
    'A session that was cut short or extended stays as it was.',
    async ({ one, other, clock }) => {
      const store = one({ touchAfter: HOUR })
      await store.set(ID, lasting(clock.now, DAY))
      const loaded = await load(store, ID)
      loaded.cookie.originalMaxAge = DAY + MINUTE
      roll(loaded, clock.now)
      await store.touch(ID, loaded)
      assert.equal(await deadline(other(), ID), clock.now + DAY + MINUTE)
      const shorter = await load(store, ID)
      const { originalMaxAge } = shorter.cookie
      shorter.cookie.expires = new Date(clock.now + DAY - MINUTE)
      shorter.cookie.originalMaxAge = originalMaxAge
      await store.touch(ID, shorter)
      assert.ok((await deadline(other(), ID)) < clock.now + DAY)
    },
  ),
  rule(
    'touches-at-once-all-count',
    'One of many requests at once ends the session early, or fails.',
    async ({ one, other, clock }) => {
      const stores = [one(), other()]
      await stores[0]!.set(ID, lasting(clock.now, HOUR))
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => stores[i % 2]!.touch(ID, lasting(clock.now + MINUTE, HOUR))),
      )
      assert.ok((await deadline(stores[0]!, ID)) >= clock.now + HOUR + MINUTE)
    },
  ),
]
