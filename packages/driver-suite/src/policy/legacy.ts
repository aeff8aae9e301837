import assert from 'node:assert/strict'
import {
  type CallEvent,
  type Driver,
  events,
  type SessionEvent,
  type SessionStore,
} from '@session-stores/core'
import { DAY, HOUR, MINUTE } from '../common.ts'
import { assertFails, prefixRules, recordErrors, recordMessages, type StoreRule } from './fixture.ts'
import { data, makeOther, type OtherStore } from './other-store.ts'
import { ID, makeLasting, makePlain, omitCookie, readUser } from './sessions.ts'

/** Rules about the option `legacy`, by which sessions of another store move in. */

const rule = prefixRules('policy/legacy')

const SIGNED_OUT = 'Everybody is signed out when the application changes its store.'

async function expiresAt(store: SessionStore): Promise<number | undefined> {
  return (await store.peek(store.handle(ID)))?.expiresAt
}

export const legacyMoves: StoreRule[] = [
  rule('moves-a-session-in-with-its-deadline', SIGNED_OUT, async (stores) => {
    const other = makeOther(stores)
    const { clock } = stores
    const end = clock.now + HOUR
    clock.now += MINUTE
    const store = stores.open({ user: readUser, idleTimeout: DAY, ...other.from(clock.now) })
    const found = await store.get(ID)
    assert.deepEqual(omitCookie(found), data)
    assert.equal(Number(found?.cookie.expires), end)
    assert.equal(other.rows.size, 0, 'the row of the other store is left')
    const { sessions } = await stores.openOther({ user: readUser }).list({ user: 'ann' })
    assert.deepEqual(sessions, [
      { handle: store.handle(ID), createdAt: clock.now, expiresAt: end, session: found },
    ])
  }),
  rule('asked-by-two-processes-answers-both', SIGNED_OUT, async (stores) => {
    for (let i = 0; i < 20; i++) {
      const other = makeOther(stores)
      const [one, two] = [
        stores.open(other.from(stores.clock.now)),
        stores.openOther(other.from(stores.clock.now)),
      ]
      const found = await Promise.all([one.get(ID), two.get(ID), one.get(ID), two.get(ID)])
      for (const session of found) assert.deepEqual(omitCookie(session), data)
      assert.equal(await one.length(), 1)
      await one.clear()
    }
  }),
  rule('finds-what-another-process-moves-meanwhile', SIGNED_OUT, async (stores) => {
    const other = makeOther(stores)
    const { clock, openOn, openOther } = stores
    const [driver] = stores.drivers
    const second = openOther(other.from(clock.now))
    let isFirst = true
    // The other process moves the session between the two looks of this one: here, and there.
    const interrupted: Driver = {
      ...driver,
      async read(keys) {
        const rows = await driver.read(keys)
        if (isFirst) {
          isFirst = false
          assert.ok(await second.get(ID))
        }
        return rows
      },
    }
    const store = openOn(interrupted, other.from(clock.now))
    assert.deepEqual(omitCookie(await store.get(ID)), data)
  }),
  rule('asks-the-other-store-once', 'Every request costs two databases.', async (stores) => {
    const other = makeOther(stores)
    const store = stores.open(other.from(stores.clock.now))
    await store.get(ID)
    const { reads } = other
    const calls = await recordMessages<CallEvent>(events.call, () => store.get(ID))
    assert.deepEqual([other.reads, calls.map(({ verb }) => verb)], [reads, ['read']])
  }),
  rule('never-lengthens-a-session', 'A session outlives its time by moving.', async (stores) => {
    const other = makeOther(stores, DAY)
    const { clock, open } = stores
    const store = open({ absoluteTimeout: HOUR, ...other.from(clock.now) })
    await store.get(ID)
    assert.equal(await expiresAt(store), clock.now + HOUR)
    await store.clear()
    other.rows.set(ID, { session: makeLasting(clock.now, DAY, data), expiresAt: clock.now })
    assert.equal(await store.get(ID), null, 'a session that has expired moves in')
    other.rows.set(ID, { session: makePlain(data), expiresAt: undefined })
    await store.get(ID)
    assert.equal(await expiresAt(store), clock.now + HOUR)
  }),
  rule('never-overwrites', 'A session that was saved here is replaced by an old one.', async (stores) => {
    const other = makeOther(stores)
    const [store, second] = [stores.open(other.from(stores.clock.now)), stores.openOther()]
    const saved = makeLasting(stores.clock.now, HOUR, { user: 'bob' })
    other.onRead = () => second.set(ID, saved)
    assert.deepEqual(omitCookie(await store.get(ID)), { user: 'bob' })
    assert.deepEqual(omitCookie(await second.get(ID)), { user: 'bob' })
  }),
  rule('ends-with-until', 'The dump of a store that nobody uses any more opens sessions.', async (stores) => {
    const other = makeOther(stores, 2 * DAY)
    const { clock } = stores
    const store = stores.open(other.from(clock.now, { until: new Date(clock.now + DAY) }))
    clock.now += DAY
    assert.equal(await store.get(ID), null)
    await store.destroy(ID)
    assert.deepEqual([other.reads, other.rows.size], [0, 1])
  }),
  rule(
    'takes-what-is-no-session-for-a-miss',
    'One broken row of the other store is an error for ever.',
    async (stores) => {
      const other = makeOther(stores)
      const store = stores.open({ maxPayload: 1000, ...other.from(stores.clock.now) })
      const large = makePlain({ text: 'x'.repeat(2000) })
      const rows = [
        null,
        { session: { user: 'ann' } as never, expiresAt: undefined },
        { session: large, expiresAt: undefined },
      ]
      for (const row of rows) {
        other.rows.set(ID, row)
        const found: unknown[] = []
        const messages = await recordMessages<SessionEvent>(events.unreadable, async () => {
          await recordErrors('warning', async () => found.push(await store.get(ID)))
        })
        assert.deepEqual(found, [null])
        assert.deepEqual(
          messages.map(({ handle }) => handle),
          [store.handle(ID)],
        )
        assert.ok(messages[0]?.error instanceof Error)
        assert.equal(other.rows.size, 1, 'the row is lost')
      }
    },
  ),
  rule('fails-while-the-other-store-is-down', SIGNED_OUT, async (stores) => {
    const other = makeOther(stores)
    const store = stores.open(other.from(stores.clock.now))
    other.onRead = () => Promise.reject(new Error(`no answer about ${ID}`))
    await assertFails('BACKEND', store.get(ID), ID)
    other.onRead = undefined
    assert.ok(await store.get(ID))
  }),
  rule(
    'refuses-a-place-that-both-use',
    'Stored keys open sessions, and clearing one store clears both.',
    async (stores) => {
      const other = makeOther(stores)
      other.place = stores.drivers[0].place
      assert.throws(() => stores.open(other.from(stores.clock.now)), TypeError)
      const [row] = (await other.scan()).rows
      await assert.rejects(stores.open().moveIn(other, row!), TypeError)
    },
  ),
  rule('moves-in-by-command-what-get-would', SIGNED_OUT, async (stores) => {
    const other = makeOther(stores)
    const { clock } = stores
    for (const id of ['present', 'ended', 'expired', 'foreign'])
      other.rows.set(id, { session: makeLasting(clock.now, HOUR, data), expiresAt: clock.now + HOUR })
    const store = stores.open({ user: readUser, ...other.from(clock.now) })
    await store.destroy('ended')
    await store.get('present')
    for (const id of ['present', 'ended', 'expired'])
      other.rows.set(id, {
        session: makeLasting(clock.now, HOUR),
        expiresAt: clock.now + (id === 'expired' ? 0 : HOUR),
      })
    other.rows.set('foreign', null)
    for (const dryRun of [true, false]) {
      const { rows } = await other.scan()
      const outcomes = await recordOutcomes(store, other, rows, dryRun)
      assert.deepEqual(outcomes, {
        [ID]: 'moved',
        present: 'present',
        ended: 'ended',
        expired: 'expired',
        foreign: 'unreadable',
      })
    }
    assert.deepEqual([...other.rows.keys()].sort(), ['expired', 'foreign', 'present'])
    assert.equal((await store.list({ user: 'ann' })).sessions.length, 2)
    // Nobody is still moving it now.
    clock.now += 10 * MINUTE
    assert.equal((await recordOutcomes(store, other, (await other.scan()).rows, false)).present, 'present')
    assert.equal(other.rows.has('present'), false)
  }),
  rule('updates-a-session-that-has-not-moved', 'A change of a session is lost.', async (stores) => {
    const other = makeOther(stores)
    const store = stores.open(other.from(stores.clock.now))
    const updated = await store.update(ID, (session) => Object.assign(session, { more: 1 }))
    assert.deepEqual(omitCookie(updated), { ...data, more: 1 })
    assert.deepEqual(omitCookie(await stores.openOther().get(ID)), { ...data, more: 1 })
  }),
]

async function recordOutcomes(
  store: SessionStore,
  other: OtherStore,
  rows: Awaited<ReturnType<OtherStore['scan']>>['rows'],
  dryRun: boolean,
): Promise<Record<string, string>> {
  const outcomes: [string, string][] = []
  await recordErrors('warning', async () => {
    for (const row of rows) outcomes.push([row.id, await store.moveIn(other, row, { dryRun })])
  })
  return Object.fromEntries(outcomes)
}
