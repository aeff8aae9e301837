import assert from 'node:assert/strict'
import { both } from './conflicts.ts'
import {
  DAY,
  deadline,
  fails,
  HOUR,
  load,
  MINUTE,
  plain,
  type RequestSession,
  read,
  ruleOf,
  type StoreRule,
  save,
} from './fixture.ts'

const rule = ruleOf('policy/deadlines')

/** Whose word counts about the end of a session, where several requests have one. */

const ID = 'the-session-id'
const REMEMBERED =
  'A user who asked to be remembered for 30 days is logged out after an hour (expressjs/session#564).'
const EARLY = 'A user who works without pause is logged out by a request that took long.'

/** A session that lives for `life`, in milliseconds, with a cookie as the middleware makes it. */
const lasting = (now: number, life: number, data: object = {}) =>
  plain(data, { originalMaxAge: life, expires: new Date(now + life) })

/** As `req.session.cookie.maxAge = life` at `now`; the cookie of express-session would ask the machine for the time. */
function last({ cookie }: RequestSession, now: number, life: number): void {
  cookie.expires = new Date(now + life)
  cookie.originalMaxAge = life
}

/** As `req.session.touch()` at `now`. */
const roll = (session: RequestSession, now: number): void =>
  last(session, now, session.cookie.originalMaxAge!)

export const deadlines: StoreRule[] = [
  ...Object.entries({ longer: 30 * DAY, shorter: 5 * MINUTE }).map(([name, life]) =>
    rule(
      `a-touch-from-before-a-save-leaves-the-${name}-deadline-that-it-decided`,
      REMEMBERED,
      async ({ one, other, clock }) => {
        const [store, second] = [one(), other()]
        await store.set(ID, lasting(clock.now, HOUR))
        const [reading, signingIn] = [await load(store, ID), await load(second, ID)]
        signingIn.name = 'Ada'
        last(signingIn, clock.now, life)
        await save(signingIn)
        clock.now += MINUTE
        roll(reading, clock.now)
        await store.touch(ID, reading)
        assert.equal(await deadline(second, ID), clock.now - MINUTE + life)
        assert.deepEqual(await read(second, ID), { name: 'Ada' })
      },
    ),
  ),
  rule('touches-of-two-versions-at-once-both-count', REMEMBERED, async ({ one, other, clock }) => {
    const store = one()
    await store.set(ID, lasting(clock.now, HOUR))
    const older = await load(store, ID)
    const newer = await load(store, ID)
    newer.name = 'Ada'
    last(newer, clock.now, DAY)
    await save(newer)
    clock.now += MINUTE
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      clock.now += MINUTE
      for (const session of order) roll(session, clock.now)
      await Promise.all(order.map((session) => store.touch(ID, session)))
      const end = await deadline(other(), ID)
      assert.ok(end >= clock.now + DAY && end < clock.now + DAY + 100)
    }
  }),
  ...(['changed', 'unchanged'] as const).map((kind) =>
    rule(
      `a-late-save-of-an-${kind}-session-does-not-move-the-deadline-back`,
      EARLY,
      async ({ one, other, clock }) => {
        const [store, second] = [one({ onGone: 'error' }), other()]
        await store.set(ID, lasting(clock.now, HOUR))
        // As at the handshake of a WebSocket.
        const late = await load(store, ID)
        clock.now += 50 * MINUTE
        const reading = await load(second, ID)
        roll(reading, clock.now)
        await second.touch(ID, reading)
        const end = await deadline(second, ID)
        assert.ok(end >= clock.now + HOUR)
        if (kind === 'changed') late.name = 'Ada'
        await save(late)
        assert.equal(await deadline(second, ID), end)
        // Now its own deadline is past, and the session lives.
        clock.now += 30 * MINUTE
        late.again = 1
        await save(late)
        assert.equal(await deadline(second, ID), end)
        assert.equal((await read(second, ID))?.again, 1)
        clock.now = end
        await fails('GONE', save(late))
      },
    ),
  ),
  rule('a-late-save-beside-saves-does-not-move-the-deadline-back', EARLY, async ({ one, other, clock }) => {
    const [store, second] = [one(), other()]
    await store.set(ID, lasting(clock.now, HOUR))
    const late = await load(store, ID)
    clock.now += 50 * MINUTE
    const saving = await load(second, ID)
    saving.theirs = 1
    roll(saving, clock.now)
    await save(saving)
    late.mine = 1
    await save(late)
    assert.equal(await deadline(second, ID), clock.now + HOUR)
    assert.deepEqual(await read(second, ID), { theirs: 1, mine: 1 })
  }),
  rule(
    'who-sets-an-earlier-end-by-hand-is-heard',
    'A session that the application cut short lives on.',
    async ({ one, other, clock }) => {
      for (const beside of [false, true]) {
        const store = one()
        await store.set(ID, lasting(clock.now, DAY))
        const found = (await store.get(ID))!
        if (beside) {
          const theirs = await load(other(), ID)
          theirs.theirs = 1
          await save(theirs)
        }
        found.cookie.expires = new Date(clock.now + HOUR)
        await store.set(ID, found)
        assert.equal(await deadline(other(), ID), clock.now + HOUR)
        await store.destroy(ID)
        await store.clear()
      }
    },
  ),
  rule(
    'a-cookie-that-becomes-one-of-the-browser-decides',
    'A change of the cookie is lost.',
    async ({ one, other, clock }) => {
      const store = one({ idleTimeout: HOUR })
      await store.set(ID, lasting(clock.now, DAY))
      const loaded = await load(store, ID)
      Object.assign(loaded.cookie, { expires: null, originalMaxAge: null })
      await save(loaded)
      clock.now += HOUR
      assert.equal(await read(other(), ID), null)
    },
  ),
  rule(
    "who-changed-the-cookie's-settings-decides-the-deadline",
    'Remember-me is lost to a request at the same time.',
    async (stores) => {
      const { clock } = stores
      const cookie = { originalMaxAge: HOUR, expires: new Date(clock.now + HOUR) }
      for (const change of ['mine', 'theirs'] as const) {
        const [mine, theirs, reader] = await both(stores, {}, {}, cookie)
        const longer = change === 'mine' ? mine : theirs
        longer.cookie.expires = new Date(clock.now + DAY)
        longer.cookie.originalMaxAge = DAY
        mine.mine = 1
        theirs.theirs = 1
        await save(theirs)
        await save(mine)
        assert.deepEqual(await read(reader, ID), { mine: 1, theirs: 1 })
        assert.equal((await reader.get(ID))!.cookie.originalMaxAge, DAY, change)
        assert.equal(await deadline(reader, ID), clock.now + DAY, change)
      }
    },
  ),
  rule(
    'the-later-deadline-counts-where-no-setting-changed',
    'A slow request ends the session early.',
    async (stores) => {
      const { clock } = stores
      const cookie = { originalMaxAge: HOUR, expires: new Date(clock.now + HOUR) }
      for (const later of ['mine', 'theirs'] as const) {
        const [mine, theirs, reader] = await both(stores, {}, {}, cookie)
        const { cookie: moved } = later === 'mine' ? mine : theirs
        moved.expires = new Date(clock.now + 2 * HOUR)
        moved.originalMaxAge = HOUR
        mine.mine = 1
        theirs.theirs = 1
        await save(theirs)
        await save(mine)
        assert.equal(await deadline(reader, ID), clock.now + 2 * HOUR, later)
      }
    },
  ),
]
