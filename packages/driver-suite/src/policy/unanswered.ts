import assert from 'node:assert/strict'
import { type Driver, type SessionStore, UncertainWriteError } from '@session-stores/core'
import { getCode } from '../common.ts'
import { BACK, logoutEndings } from './endings.ts'
import { assertFails, prefixRules, type StoreRule, settle } from './fixture.ts'
import { holdUp, loseCall, loseReply, makeLossy, openLossy, resend } from './lossy.ts'
import { ID, load, makeFresh, makePlain, type RequestSession, read, readUser, save } from './sessions.ts'

/** Rules about saves whose replies are lost, that are resent, or that come late. */

const rule = prefixRules('policy/unanswered')

const TWICE = 'A right that was taken away is there again, for a save took effect a second time.'
const LOST = 'What a user changed, and was told is saved, is lost.'

/** Removes the right that another request gave, in a save that is acknowledged. */
async function removeAdmin(store: SessionStore): Promise<void> {
  const theirs = await load(store, ID)
  assert.equal(theirs.admin, true, 'the save whose reply was lost is there')
  delete theirs.admin
  await save(theirs)
}

/** Saves, and returns whether the save was acknowledged. */
const trySave = (session: RequestSession): Promise<boolean> =>
  save(session).then(
    () => true,
    (error) => {
      assert.match(getCode(error), /^(UNAVAILABLE|CONFLICT|GONE)$/)
      return false
    },
  )

export const unanswered: StoreRule[] = [
  ...Object.entries(logoutEndings).flatMap(([name, end]) => [
    rule(
      `a-first-save-that-is-sent-again-after-its-session-was-${name}-does-not-bring-it-back`,
      BACK,
      async (stores) => {
        const { driver, network, store, second } = openLossy(stores, { user: readUser })
        network.next = resend(driver, () => end(second))
        await trySave(makeFresh(store, ID, { user: 'ann' }))
        for (const reader of [store, second]) assert.equal(await reader.get(ID), null)
        assert.equal(await second.length(), 0)
      },
    ),
    rule(
      `a-save-that-is-sent-again-after-its-session-was-${name}-does-not-bring-it-back`,
      BACK,
      async (stores) => {
        const { driver, network, store, second } = openLossy(stores, { user: readUser })
        await save(makeFresh(store, ID, { user: 'ann' }))
        const loaded = await load(store, ID)
        loaded.more = 1
        network.next = resend(driver, () => end(second))
        await trySave(loaded)
        for (const reader of [store, second]) assert.equal(await reader.get(ID), null)
      },
    ),
  ]),
  ...(['new', 'read'] as const).map((kind) =>
    rule(
      `a-save-of-a-${kind}-session-that-was-given-up-does-not-land-after-the-logout`,
      BACK,
      async ({ openOn, openOther, drivers: [driver] }) => {
        const network = makeLossy(driver)
        const store = openOn(network, { operationTimeout: 50 })
        const generous = openOther()
        if (kind === 'read') await save(makeFresh(generous, ID))
        const session = kind === 'read' ? await load(generous, ID) : makeFresh(generous, ID)
        session.name = 'Ada'
        const released = Promise.withResolvers<void>()
        let landed: Promise<unknown> = Promise.resolve()
        network.next = holdUp(driver, released.promise, (answer) => {
          landed = answer
        })
        await assertFails('TIMEOUT', store.set(ID, session))
        // The logout comes from the same process, which knows that a save may be under way.
        await openOn(driver).destroy(ID)
        released.resolve()
        await landed
        for (const reader of [generous, openOn(driver)]) assert.equal(await reader.get(ID), null)
      },
    ),
  ),
  rule(
    'what-was-given-up-while-the-store-was-set-up-does-nothing-afterwards',
    BACK,
    async ({ openOn, openOther, drivers: [driver] }) => {
      const released = Promise.withResolvers<void>()
      let ready: Promise<void> = Promise.resolve()
      let writes = 0
      const slow: Driver = {
        ...driver,
        setup(timeLimit) {
          ready = released.promise.then(() => driver.setup(timeLimit))
          return ready
        },
        write(...args) {
          writes++
          return driver.write(...args)
        },
      }
      const store = openOn(slow, { operationTimeout: 50 })
      const generous = openOther()
      await save(makeFresh(generous, ID))
      const loaded = await load(generous, ID)
      await Promise.all([
        assertFails('TIMEOUT', store.set('new', makeFresh(store, 'new'))),
        assertFails('TIMEOUT', store.set(ID, loaded)),
      ])
      released.resolve()
      await ready
      await settle()
      assert.equal(writes, 0)
      assert.equal(await generous.get('new'), null)
    },
  ),
  rule(
    'a-clear-that-was-given-up-ends-no-session-that-began-afterwards',
    'Who signs in after a failed `clear` is signed out by it.',
    async ({ openOn, openOther, drivers: [driver] }) => {
      const released = Promise.withResolvers<void>()
      let cleared: Promise<unknown> = Promise.resolve()
      const slow: Driver = {
        ...driver,
        setup: () => driver.setup(),
        clear(signal) {
          cleared = released.promise.then(() => driver.clear(signal))
          return cleared as Promise<void>
        },
      }
      const store = openOn(slow, { operationTimeout: 20 })
      await assertFails('TIMEOUT', store.clear())
      const other = openOther()
      await save(makeFresh(other, ID, { name: 'Ada' }))
      released.resolve()
      await cleared.catch(() => {})
      assert.deepEqual(await read(other, ID), { name: 'Ada' })
    },
  ),
  rule('a-save-that-is-sent-again-takes-effect-once', TWICE, async (stores) => {
    const { driver, network, store, second } = openLossy(stores)
    await save(makeFresh(store, ID, { name: 'Ada' }))
    const mine = await load(store, ID)
    mine.admin = true
    network.next = resend(driver, () => removeAdmin(second))
    await trySave(mine)
    assert.deepEqual(await read(second, ID), { name: 'Ada' })
  }),
  rule('a-first-save-that-is-sent-again-takes-effect-once', TWICE, async (stores) => {
    const { driver, network, store, second } = openLossy(stores)
    network.next = resend(driver, () => removeAdmin(second))
    await trySave(makeFresh(store, ID, { name: 'Ada', admin: true }))
    assert.deepEqual(await read(second, ID), { name: 'Ada' })
  }),
  rule('a-plain-save-that-is-sent-again-takes-effect-once', TWICE, async (stores) => {
    const { driver, network, store, second } = openLossy(stores)
    await store.set(ID, makePlain({ name: 'Ada' }))
    network.next = resend(driver, () => removeAdmin(second))
    await store.set(ID, makePlain({ name: 'Ada', admin: true })).catch(() => {})
    assert.deepEqual(await read(second, ID), { name: 'Ada' })
  }),
  rule('a-save-that-is-sent-again-beside-another-key-keeps-both', LOST, async (stores) => {
    const { driver, network, store, second } = openLossy(stores)
    await save(makeFresh(store, ID, { name: 'Ada' }))
    const mine = await load(store, ID)
    mine.mine = 1
    network.next = resend(driver, async () => {
      const theirs = await load(second, ID)
      theirs.theirs = 2
      await save(theirs)
    })
    await save(mine)
    assert.deepEqual(await read(second, ID), { name: 'Ada', mine: 1, theirs: 2 })
  }),
  ...(['read', 'new'] as const).map((kind) =>
    rule(
      `a-save-of-a-${kind}-session-whose-reply-was-lost-is-not-somebody-elses`,
      'What a user took back, and was told is gone, is still there.',
      async ({ openOn, openOther, drivers: [driver] }) => {
        const network = makeLossy(driver)
        const store = openOn(network)
        if (kind === 'read') await save(makeFresh(store, ID, { name: 'Ada' }))
        const mine = kind === 'read' ? await load(store, ID) : makeFresh(store, ID, { name: 'Ada' })
        mine.admin = true
        network.next = loseReply(driver)
        await assertFails('UNAVAILABLE', save(mine))
        delete mine.admin
        await save(mine)
        assert.deepEqual(await read(openOther(), ID), { name: 'Ada' })
        mine.again = 1
        await save(mine)
        assert.deepEqual(await read(openOther(), ID), { name: 'Ada', again: 1 })
      },
    ),
  ),
  ...Object.entries({ landed: loseReply, 'did-not-land': loseCall }).map(([outcome, fault]) =>
    rule(
      `after-a-save-that-${outcome}-without-an-answer-nothing-is-lost-and-nothing-comes-back`,
      LOST,
      async (stores) => {
        const { driver, network, store, second } = openLossy(stores)
        await save(makeFresh(store, ID, { name: 'Ada' }))
        const mine = await load(store, ID)
        mine.admin = true
        network.next = fault(driver)
        await assertFails('UNAVAILABLE', save(mine))
        const theirs = await load(second, ID)
        assert.equal(theirs.admin, outcome === 'landed' ? true : undefined)
        delete theirs.admin
        theirs.theirs = 1
        await save(theirs)
        mine.more = 1
        const done = await trySave(mine)
        const found = await read(second, ID)
        assert.equal(found?.theirs, 1)
        if (done) assert.equal(found?.more, 1)
        // A key that landed was removed by the other request. Otherwise an acknowledged save must
        // have stored it.
        if (outcome === 'landed') assert.equal(found?.admin, undefined)
        else if (done) assert.equal(found?.admin, true)
      },
    ),
  ),
  rule(
    'a-save-that-may-have-landed-before-its-session-ended-says-so',
    'Whoever reads that nothing was saved does again what was done.',
    async (stores) => {
      const { driver, network, store, second } = openLossy(stores, { onGone: 'error' })
      const saveGone = async (id: string): Promise<unknown> => {
        const { cause } = await assertFails('GONE', save(await loadChanged(id)))
        return cause
      }
      const loadChanged = async (id: string): Promise<RequestSession> => {
        await save(makeFresh(store, id))
        const mine = await load(store, id)
        if (id === ID) network.next = resend(driver, () => second.destroy(id))
        else await second.destroy(id)
        mine.more = 1
        return mine
      }
      assert.equal(getCode(await saveGone(ID)), 'UNAVAILABLE')
      assert.equal(await saveGone('another-id'), undefined)
    },
  ),
  ...Object.entries(logoutEndings).map(([name, end]) =>
    rule(
      `an-end-that-is-sent-again-ends-no-later-session-of-an-id-that-was-${name}`,
      'Who signs in again is signed out by the logout before that.',
      async (stores) => {
        const { driver, network, store, second } = openLossy(stores, { user: readUser })
        await save(makeFresh(store, ID, { user: 'ann', born: 1 }))
        network.next = resend(driver, () => {
          stores.clock.now += 1
          return save(makeFresh(second, ID, { user: 'ann', born: 2 }))
        })
        await end(store).catch((error) => assert.equal(getCode(error), 'UNAVAILABLE'))
        assert.equal((await read(second, ID))?.born, 2)
      },
    ),
  ),
  rule(
    'a-revoke-of-a-user-that-failed-ends-no-session-afterwards',
    'A user who signs in again after a sign-out everywhere that failed is signed out later.',
    async (stores) => {
      const { driver, network, store, second } = openLossy(stores, { user: readUser })
      for (const id of ['a', 'b']) await store.set(id, makePlain({ user: 'ann' }))
      let isAnswered = false
      let isLate = false
      network.next = async () => {
        await second.destroy('a')
        network.next = async (writes, now) => {
          await settle()
          isLate = isAnswered
          return driver.write(writes, now)
        }
        throw new UncertainWriteError([])
      }
      const revoking = store.revokeUser('ann').finally(() => {
        isAnswered = true
      })
      await assertFails('UNAVAILABLE', revoking)
      while (network.next !== undefined) await settle()
      await settle()
      assert.equal(isLate, false)
    },
  ),
]
