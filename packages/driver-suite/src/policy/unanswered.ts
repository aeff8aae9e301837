import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'
import { codeOf } from '../outage/user.ts'
import {
  fails,
  fresh,
  load,
  plain,
  type RequestSession,
  read,
  ruleOf,
  type StoreRule,
  save,
} from './fixture.ts'
import { answerIsLost, callIsLost, isHeldUp, isSentAgain, lossy } from './lossy.ts'

const rule = ruleOf('policy/unanswered')

/** Saves whose replies are lost, that are sent again, or that come late. */

const ID = 'the-session-id'
const BACK = 'Who has logged out is logged in again.'
const TWICE = 'A right that was taken away is there again, for a save took effect a second time.'
const LOST = 'What a user changed, and was told is saved, is lost.'

const user = (session: object): string | undefined => (session as { user?: string }).user

/** Ways in which another process ends a session. */
const ends: Record<string, (store: SessionStore) => Promise<unknown>> = {
  destroyed: (store) => store.destroy(ID),
  revoked: (store) => store.revoke(store.handle(ID)),
  'revoked-with-its-user': (store) => store.revokeUser('ann'),
}

/** Removes what another request gave, and is told so. */
async function removeAdmin(store: SessionStore): Promise<void> {
  const theirs = await load(store, ID)
  assert.equal(theirs.admin, true, 'the save whose reply was lost is there')
  delete theirs.admin
  await save(theirs)
}

/** Saves, and says whether it was told that it is done. */
const isDone = (session: RequestSession): Promise<boolean> =>
  save(session).then(
    () => true,
    (error) => {
      assert.match(codeOf(error), /^(UNAVAILABLE|CONFLICT|GONE)$/)
      return false
    },
  )

export const unanswered: StoreRule[] = [
  ...Object.entries(ends).flatMap(([name, end]) => [
    rule(
      `a-first-save-that-is-sent-again-after-its-session-was-${name}-does-not-bring-it-back`,
      BACK,
      async ({ on, other, drivers: [driver] }) => {
        const network = lossy(driver)
        const [store, second] = [on(network, { user }), other({ user })]
        network.next = isSentAgain(driver, () => end(second))
        await isDone(fresh(store, ID, { user: 'ann' }))
        for (const reader of [store, second]) assert.equal(await reader.get(ID), null)
        assert.equal(await second.length(), 0)
      },
    ),
    rule(
      `a-save-that-is-sent-again-after-its-session-was-${name}-does-not-bring-it-back`,
      BACK,
      async ({ on, other, drivers: [driver] }) => {
        const network = lossy(driver)
        const [store, second] = [on(network, { user }), other({ user })]
        await save(fresh(store, ID, { user: 'ann' }))
        const loaded = await load(store, ID)
        loaded.more = 1
        network.next = isSentAgain(driver, () => end(second))
        await isDone(loaded)
        for (const reader of [store, second]) assert.equal(await reader.get(ID), null)
      },
    ),
  ]),
  ...(['new', 'read'] as const).map((kind) =>
    rule(
      `a-save-of-a-${kind}-session-that-was-given-up-does-not-land-after-the-logout`,
      BACK,
      async ({ on, other, drivers: [driver] }) => {
        const network = lossy(driver)
        const store = on(network, { operationTimeout: 50 })
        const generous = other()
        if (kind === 'read') await save(fresh(generous, ID))
        const session = kind === 'read' ? await load(generous, ID) : fresh(generous, ID)
        session.name = 'Ada'
        const released = Promise.withResolvers<void>()
        let landed: Promise<unknown> = Promise.resolve()
        network.next = isHeldUp(driver, released.promise, (answer) => {
          landed = answer
        })
        await fails('TIMEOUT', store.set(ID, session))
        // In the same process, which knows that a save may be on its way.
        await on(driver).destroy(ID)
        released.resolve()
        await landed
        for (const reader of [store, generous]) assert.equal(await on(driver).get(ID), null, String(reader))
      },
    ),
  ),
  rule('a-save-that-is-sent-again-takes-effect-once', TWICE, async ({ on, other, drivers: [driver] }) => {
    const network = lossy(driver)
    const [store, second] = [on(network), other()]
    await save(fresh(store, ID, { name: 'Ada' }))
    const mine = await load(store, ID)
    mine.admin = true
    network.next = isSentAgain(driver, () => removeAdmin(second))
    await isDone(mine)
    assert.deepEqual(await read(second, ID), { name: 'Ada' })
  }),
  rule(
    'a-first-save-that-is-sent-again-takes-effect-once',
    TWICE,
    async ({ on, other, drivers: [driver] }) => {
      const network = lossy(driver)
      const [store, second] = [on(network), other()]
      network.next = isSentAgain(driver, () => removeAdmin(second))
      await isDone(fresh(store, ID, { name: 'Ada', admin: true }))
      assert.deepEqual(await read(second, ID), { name: 'Ada' })
    },
  ),
  rule(
    'a-plain-save-that-is-sent-again-takes-effect-once',
    TWICE,
    async ({ on, other, drivers: [driver] }) => {
      const network = lossy(driver)
      const [store, second] = [on(network), other()]
      await store.set(ID, plain({ name: 'Ada' }))
      network.next = isSentAgain(driver, () => removeAdmin(second))
      await store.set(ID, plain({ name: 'Ada', admin: true })).catch(() => {})
      assert.deepEqual(await read(second, ID), { name: 'Ada' })
    },
  ),
  rule(
    'a-save-that-is-sent-again-beside-another-key-keeps-both',
    LOST,
    async ({ on, other, drivers: [driver] }) => {
      const network = lossy(driver)
      const [store, second] = [on(network), other()]
      await save(fresh(store, ID, { name: 'Ada' }))
      const mine = await load(store, ID)
      mine.mine = 1
      network.next = isSentAgain(driver, async () => {
        const theirs = await load(second, ID)
        theirs.theirs = 2
        await save(theirs)
      })
      await save(mine)
      assert.deepEqual(await read(second, ID), { name: 'Ada', mine: 1, theirs: 2 })
    },
  ),
  ...(['read', 'new'] as const).map((kind) =>
    rule(
      `a-save-of-a-${kind}-session-whose-reply-was-lost-is-not-somebody-elses`,
      'What a user took back, and was told is gone, is still there.',
      async ({ on, other, drivers: [driver] }) => {
        const network = lossy(driver)
        const store = on(network)
        if (kind === 'read') await save(fresh(store, ID, { name: 'Ada' }))
        const mine = kind === 'read' ? await load(store, ID) : fresh(store, ID, { name: 'Ada' })
        mine.admin = true
        network.next = answerIsLost(driver)
        await fails('UNAVAILABLE', save(mine))
        delete mine.admin
        await save(mine)
        assert.deepEqual(await read(other(), ID), { name: 'Ada' })
        mine.again = 1
        await save(mine)
        assert.deepEqual(await read(other(), ID), { name: 'Ada', again: 1 })
      },
    ),
  ),
  ...Object.entries({ landed: answerIsLost, 'did-not-land': callIsLost }).map(([outcome, fault]) =>
    rule(
      `after-a-save-that-${outcome}-without-an-answer-nothing-is-lost-and-nothing-comes-back`,
      LOST,
      async ({ on, other, drivers: [driver] }) => {
        const network = lossy(driver)
        const [store, second] = [on(network), other()]
        await save(fresh(store, ID, { name: 'Ada' }))
        const mine = await load(store, ID)
        mine.admin = true
        network.next = fault(driver)
        await fails('UNAVAILABLE', save(mine))
        const theirs = await load(second, ID)
        assert.equal(theirs.admin, outcome === 'landed' ? true : undefined)
        delete theirs.admin
        theirs.theirs = 1
        await save(theirs)
        mine.more = 1
        const done = await isDone(mine)
        const found = await read(second, ID)
        assert.equal(found?.theirs, 1)
        if (done) assert.equal(found?.more, 1)
        // Where it landed, somebody else took it away since; else whoever is told that it is done must find it.
        if (outcome === 'landed') assert.equal(found?.admin, undefined)
        else if (done) assert.equal(found?.admin, true)
      },
    ),
  ),
]
