import assert from 'node:assert/strict'
import { DAY, HOUR, MINUTE } from '../common.ts'
import { loadBoth } from './conflicts.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { ID, load, makeLasting, read, readDeadline, roll, save, setMaxAge } from './sessions.ts'

/** Rules about which request decides the deadline of a session, when several of them set one. */

const rule = prefixRules('policy/deadlines')

const REMEMBERED =
  'A user who asked to be remembered for 30 days is logged out after an hour (expressjs/session#564).'
const EARLY = 'A user who works without pause is logged out by a request that took long.'

export const deadlines: StoreRule[] = [
  ...Object.entries({ longer: 30 * DAY, shorter: 5 * MINUTE }).map(([name, life]) =>
    rule(
      `a-touch-from-before-a-save-leaves-the-${name}-deadline-that-it-decided`,
      REMEMBERED,
      async ({ open, openOther, clock }) => {
        const [store, second] = [open(), openOther()]
        await store.set(ID, makeLasting(clock.now, HOUR))
        const [reading, signingIn] = [await load(store, ID), await load(second, ID)]
        signingIn.name = 'Ada'
        setMaxAge(signingIn, clock.now, life)
        await save(signingIn)
        clock.now += MINUTE
        roll(reading, clock.now)
        await store.touch(ID, reading)
        assert.equal(await readDeadline(second, ID), clock.now - MINUTE + life)
        assert.deepEqual(await read(second, ID), { name: 'Ada' })
      },
    ),
  ),
  rule('touches-of-two-versions-at-once-both-count', REMEMBERED, async ({ open, openOther, clock }) => {
    const store = open()
    await store.set(ID, makeLasting(clock.now, HOUR))
    const older = await load(store, ID)
    const newer = await load(store, ID)
    newer.name = 'Ada'
    setMaxAge(newer, clock.now, DAY)
    await save(newer)
    clock.now += MINUTE
    for (const order of [
      [older, newer],
      [newer, older],
    ]) {
      clock.now += MINUTE
      for (const session of order) roll(session, clock.now)
      await Promise.all(order.map((session) => store.touch(ID, session)))
      const end = await readDeadline(openOther(), ID)
      assert.ok(end >= clock.now + DAY && end < clock.now + DAY + 100)
    }
  }),
  ...(['changed', 'unchanged'] as const).map((kind) =>
    rule(
      `a-late-save-of-an-${kind}-session-does-not-move-the-deadline-back`,
      EARLY,
      async ({ open, openOther, clock }) => {
        const [store, second] = [open({ onGone: 'error' }), openOther()]
        await store.set(ID, makeLasting(clock.now, HOUR))
        // Loads the session early, as the handshake of a WebSocket does.
        const late = await load(store, ID)
        clock.now += 50 * MINUTE
        const reading = await load(second, ID)
        roll(reading, clock.now)
        await second.touch(ID, reading)
        const end = await readDeadline(second, ID)
        assert.ok(end >= clock.now + HOUR)
        if (kind === 'changed') late.name = 'Ada'
        await save(late)
        assert.equal(await readDeadline(second, ID), end)
        // Now the deadline of the late session is past, but the stored session is live.
        clock.now += 30 * MINUTE
        late.again = 1
        await save(late)
        assert.equal(await readDeadline(second, ID), end)
        assert.equal((await read(second, ID))?.again, 1)
        clock.now = end
        await assertFails('GONE', save(late))
      },
    ),
  ),
  rule(
    'a-late-save-beside-saves-does-not-move-the-deadline-back',
    EARLY,
    async ({ open, openOther, clock }) => {
      const [store, second] = [open(), openOther()]
      await store.set(ID, makeLasting(clock.now, HOUR))
      const late = await load(store, ID)
      clock.now += 50 * MINUTE
      const saving = await load(second, ID)
      saving.theirs = 1
      roll(saving, clock.now)
      await save(saving)
      late.mine = 1
      await save(late)
      assert.equal(await readDeadline(second, ID), clock.now + HOUR)
      assert.deepEqual(await read(second, ID), { theirs: 1, mine: 1 })
    },
  ),
  rule(
    'who-sets-an-earlier-end-by-hand-is-heard',
    'A session that the application cut short lives on.',
    async ({ open, openOther, clock }) => {
      for (const beside of [false, true]) {
        const store = open()
        await store.set(ID, makeLasting(clock.now, DAY))
        const found = (await store.get(ID))!
        if (beside) {
          const theirs = await load(openOther(), ID)
          theirs.theirs = 1
          await save(theirs)
        }
        found.cookie.expires = new Date(clock.now + HOUR)
        await store.set(ID, found)
        assert.equal(await readDeadline(openOther(), ID), clock.now + HOUR)
        await store.destroy(ID)
        await store.clear()
      }
    },
  ),
  rule(
    'a-cookie-that-becomes-one-of-the-browser-decides',
    'A change of the cookie is lost.',
    async ({ open, openOther, clock }) => {
      const store = open({ idleTimeout: HOUR })
      await store.set(ID, makeLasting(clock.now, DAY))
      const loaded = await load(store, ID)
      Object.assign(loaded.cookie, { expires: null, originalMaxAge: null })
      await save(loaded)
      clock.now += HOUR
      assert.equal(await read(openOther(), ID), null)
    },
  ),
  rule(
    "who-changed-the-cookie's-settings-decides-the-deadline",
    'Remember-me is lost to a request at the same time.',
    async (stores) => {
      const { clock } = stores
      const cookie = { originalMaxAge: HOUR, expires: new Date(clock.now + HOUR) }
      for (const change of ['mine', 'theirs'] as const) {
        const [mine, theirs, reader] = await loadBoth(stores, {}, {}, cookie)
        const longer = change === 'mine' ? mine : theirs
        longer.cookie.expires = new Date(clock.now + DAY)
        longer.cookie.originalMaxAge = DAY
        mine.mine = 1
        theirs.theirs = 1
        await save(theirs)
        await save(mine)
        assert.deepEqual(await read(reader, ID), { mine: 1, theirs: 1 })
        assert.equal((await reader.get(ID))!.cookie.originalMaxAge, DAY, change)
        assert.equal(await readDeadline(reader, ID), clock.now + DAY, change)
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
        const [mine, theirs, reader] = await loadBoth(stores, {}, {}, cookie)
        const { cookie: moved } = later === 'mine' ? mine : theirs
        moved.expires = new Date(clock.now + 2 * HOUR)
        moved.originalMaxAge = HOUR
        mine.mine = 1
        theirs.theirs = 1
        await save(theirs)
        await save(mine)
        assert.equal(await readDeadline(reader, ID), clock.now + 2 * HOUR, later)
      }
    },
  ),
]
