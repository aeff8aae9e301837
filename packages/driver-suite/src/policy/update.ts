import assert from 'node:assert/strict'
import type { SessionData } from 'express-session'
import { HOUR } from '../common.ts'
import { BACK } from './endings.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { holdUp, loseCall, loseReply, openLossy, resend } from './lossy.ts'
import { ID, load, makeFresh, makeLasting, makePlain, read, readDeadline, save } from './sessions.ts'

/** Rules about `update`, which changes a stored session by compare-and-set. */

const rule = prefixRules('policy/update')

const LOST = 'A change that was acknowledged is lost, or is made twice.'

type Counting = SessionData & { count?: number }

/** A change that must be made exactly once. */
const countUp = (session: SessionData): SessionData => {
  const { count = 0 } = session as Counting
  return { ...session, count: count + 1 } as SessionData
}

export const updates: StoreRule[] = [
  rule('saves-the-change', LOST, async ({ open, openOther }) => {
    const store = open()
    await store.set(ID, makePlain({ name: 'Ada' }))
    const saved = await store.update(ID, countUp)
    assert.equal((saved as Counting).count, 1)
    assert.deepEqual(await read(openOther(), ID), { name: 'Ada', count: 1 })
  }),
  rule(
    'of-a-missing-session-is-null',
    'A session that ended comes back, or a request fails without a reason.',
    async ({ open, openOther, clock }) => {
      const store = open()
      const change = (): never => assert.fail('there is nothing to change')
      assert.equal(await store.update(ID, change), null)
      assert.equal(await store.update('x'.repeat(1000), change), null)
      await store.set('destroyed', makePlain())
      await openOther().destroy('destroyed')
      assert.equal(await store.update('destroyed', change), null)
      await store.set('expired', makeLasting(clock.now, HOUR))
      clock.now += HOUR
      assert.equal(await store.update('expired', change), null)
      assert.equal(await openOther().length(), 0)
    },
  ),
  rule('by-handle-is-of-the-same-session', LOST, async ({ open, openOther }) => {
    const store = open()
    await store.set(ID, makePlain({ name: 'Ada' }))
    const handle = store.handle(ID)
    await Promise.all([store.update({ handle }, countUp), openOther().update({ handle }, countUp)])
    assert.deepEqual(await read(openOther(), ID), { name: 'Ada', count: 2 })
    await openOther().destroy(ID)
    assert.equal(await store.update({ handle }, countUp), null)
    await assertFails('INVALID_ID', store.update({ handle: ID }, countUp))
    await assertFails('INVALID_ID', store.update(undefined as never, countUp))
    await assert.rejects(open({ hashIds: false }).update({ handle }, countUp), TypeError)
  }),
  rule('that-changes-nothing-writes-nothing', 'Every look at a session costs a write.', async (stores) => {
    const store = stores.open()
    await store.set(ID, makePlain({ name: 'Ada' }))
    const row = () => stores.drivers[0].read([store.handle(ID)])
    const before = await row()
    const found = await store.update(ID, () => undefined)
    assert.equal((found as unknown as { name: string }).name, 'Ada')
    assert.deepEqual(await row(), before)
  }),
  rule('at-once-all-count', LOST, async ({ open, openOther }) => {
    const stores = [open(), openOther()]
    await stores[0]!.set(ID, makePlain())
    await Promise.all(Array.from({ length: 40 }, (_, i) => stores[i % 2]!.update(ID, countUp)))
    assert.deepEqual(await read(stores[0]!, ID), { count: 40 })
  }),
  rule('beside-saves-loses-nothing', LOST, async ({ open, openOther }) => {
    const [store, other] = [open(), openOther()]
    await save(makeFresh(store, ID, { name: 'Ada' }))
    const request = await load(other, ID)
    request.city = 'London'
    await Promise.all([save(request), ...Array.from({ length: 10 }, () => store.update(ID, countUp))])
    assert.deepEqual(await read(other, ID), { name: 'Ada', city: 'London', count: 10 })
  }),
  rule('does-not-undo-a-logout', BACK, async ({ open, openOther }) => {
    const [store, other] = [open(), openOther()]
    for (let i = 0; i < 20; i++) {
      const id = `${ID}-${i}`
      await store.set(id, makePlain())
      await Promise.all([store.update(id, countUp), other.destroy(id), store.update(id, countUp)])
      assert.equal(await store.get(id), null)
    }
  }),
  rule('of-a-destroyed-session-whose-change-is-under-way-does-not-land', BACK, async (stores) => {
    const { driver, network, store } = openLossy(stores, { operationTimeout: 50 })
    const patient = stores.openOther()
    await patient.set(ID, makePlain())
    const released = Promise.withResolvers<void>()
    let landed: Promise<unknown> = Promise.resolve()
    network.next = holdUp(driver, released.promise, (answer) => {
      landed = answer
    })
    await assertFails('TIMEOUT', store.update(ID, countUp))
    await patient.destroy(ID)
    // The store has given the driver its own short time limit.
    await driver.setup()
    released.resolve()
    await landed
    assert.equal(await patient.get(ID), null)
  }),
  rule('that-is-resent-counts-once', LOST, async (stores) => {
    const { driver, network, store, second } = openLossy(stores)
    await store.set(ID, makePlain())
    network.next = resend(driver, async () => {})
    await store.update(ID, countUp)
    assert.deepEqual(await read(second, ID), { count: 1 })
  }),
  rule('that-is-resent-over-a-save-is-no-guess', LOST, async (stores) => {
    const { driver, network, store, second } = openLossy(stores)
    await store.set(ID, makePlain())
    network.next = resend(driver, () => second.set(ID, makePlain({ name: 'Grace' })))
    await assertFails('UNAVAILABLE', store.update(ID, countUp))
    assert.deepEqual(await read(second, ID), { name: 'Grace' })
  }),
  rule('without-an-answer-is-an-error', LOST, async (stores) => {
    const { driver, network, store, second } = openLossy(stores)
    await store.set(ID, makePlain())
    network.next = loseReply(driver)
    await assertFails('UNAVAILABLE', store.update(ID, countUp))
    assert.deepEqual(await read(second, ID), { count: 1 })
    network.next = loseCall()
    await assertFails('UNAVAILABLE', store.update(ID, countUp))
    assert.deepEqual(await read(second, ID), { count: 1 })
  }),
  rule(
    'keeps-a-later-deadline',
    'A user who works without pause is logged out.',
    async ({ open, openOther, clock }) => {
      const store = open()
      await store.set(ID, makeLasting(clock.now, HOUR))
      clock.now += HOUR / 2
      await openOther().touch(ID, makeLasting(clock.now, HOUR))
      const deadline = await readDeadline(openOther(), ID)
      await store.update(ID, countUp)
      assert.equal(await readDeadline(openOther(), ID), deadline)
    },
  ),
  rule(
    'follows-a-change-of-the-deadline',
    'An application that shortens a session has no effect.',
    async ({ open, openOther, clock }) => {
      const store = open()
      await store.set(ID, makeLasting(clock.now, 2 * HOUR))
      const shorter = { originalMaxAge: HOUR, expires: new Date(clock.now + HOUR), path: '/', httpOnly: true }
      await store.update(ID, (session) => ({ ...session, cookie: shorter }) as SessionData)
      assert.equal(await readDeadline(openOther(), ID), clock.now + HOUR)
    },
  ),
  rule('result-can-be-saved-again', LOST, async ({ open, openOther }) => {
    const store = open()
    await store.set(ID, makePlain())
    const updated = (await store.update(ID, countUp)) as Counting
    const other = await load(openOther(), ID)
    other.name = 'Grace'
    await save(other)
    updated.count = 5
    await store.set(ID, updated)
    assert.deepEqual(await read(openOther(), ID), { name: 'Grace', count: 5 })
  }),
  rule(
    'that-throws-fails-alone',
    'One faulty function holds up every later request of the session.',
    async ({ open }) => {
      const store = open()
      await store.set(ID, makePlain())
      const broken = store.update(ID, () => {
        throw new Error('broken')
      })
      const error = await assertFails('INVALID_SESSION', broken)
      assert.equal((error.cause as Error).message, 'broken')
      await assertFails(
        'INVALID_SESSION',
        store.update(ID, () => ({}) as never),
      )
      await store.update(ID, countUp)
      assert.deepEqual(await read(store, ID), { count: 1 })
    },
  ),
]
