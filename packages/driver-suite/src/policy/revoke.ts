import assert from 'node:assert/strict'
import { assertFails, prefixRules, type StoreRule, type Stores } from './fixture.ts'
import { type LossyStores, openLossy } from './lossy.ts'
import { load, makePlain, read, readUser, save, saveUsers } from './sessions.ts'

/** Rules about ending the sessions of a user. */

const rule = prefixRules('policy/revoke')

/** Makes a logout by `revoke`, and another call between what it reads and what it writes. */
async function revokeAround<T, U>(
  stores: Stores,
  revoke: (store: LossyStores['store']) => Promise<T>,
  other: (store: LossyStores['second']) => Promise<U>,
): Promise<[T, U]> {
  const { driver, network, store, second } = openLossy(stores, { user: readUser })
  await saveUsers(second)
  let between: Promise<U> | undefined
  network.next = async (writes, now) => {
    between = other(second)
    await between
    return driver.write(writes, now)
  }
  const answer = await revoke(store)
  assert.ok(between, 'the logout writes')
  return [answer, await between]
}

export const revocations: StoreRule[] = [
  rule('ends-one-session', 'A lost phone stays logged in.', async ({ open, openOther }) => {
    const store = open({ user: readUser })
    await saveUsers(store)
    const loaded = await load(openOther({ user: readUser }), 'a1')
    const handle = store.handle('a1')
    assert.equal(await store.revoke(handle), true)
    assert.equal(await openOther().get('a1'), null)
    loaded.name = 'late'
    await save(loaded)
    await assertFails('GONE', store.set('a1', makePlain({ name: 'late' })))
    assert.equal(await openOther().get('a1'), null)
    assert.equal(await store.revoke(handle), false)
    assert.equal(await store.revoke(store.handle('nobody')), false)
    assert.equal(await store.length(), 3)
  }),
  rule(
    "with-a-user-ends-only-that-user's",
    'Whoever guesses or sees a handle logs somebody else out.',
    async ({ open }) => {
      for (const options of [{ user: readUser }, { user: readUser, hashIds: false }]) {
        const store = open(options)
        await store.clear()
        await saveUsers(store)
        assert.equal(await store.revoke(store.handle('b1'), { user: 'ann' }), false)
        assert.equal(await store.revoke(store.handle('n1'), { user: 'ann' }), false)
        assert.equal(await store.length(), 4)
        await assertFails('INVALID_USER', store.revoke(store.handle('b1'), { user: undefined as never }))
        assert.equal(await store.length(), 4)
        assert.equal(await store.revoke(store.handle('a1'), { user: 'ann' }), true)
        assert.equal(await store.get('a1'), null)
        assert.equal(await store.length(), 3)
      }
    },
  ),
  rule(
    'of-two-at-once-one-ends-the-session',
    'A log tells of two logouts of one session.',
    async (stores) => {
      const handle = stores.open().handle('a1')
      const revoke = (store: LossyStores['store']): Promise<boolean> => store.revoke(handle)
      assert.deepEqual(await revokeAround(stores, revoke, revoke), [false, true])
    },
  ),
  rule(
    'never-ends-a-session-that-has-changed-hands',
    'Whoever signs in on a shared computer is logged out by the user before.',
    async (stores) => {
      const handle = stores.open().handle('a1')
      const signIn = async (store: LossyStores['second']): Promise<void> => {
        const session = await load(store, 'a1')
        session.user = 'bob'
        await save(session)
      }
      const [answer] = await revokeAround(stores, (store) => store.revoke(handle, { user: 'ann' }), signIn)
      assert.equal(answer, false)
      assert.ok(await stores.openOther().get('a1'))
    },
  ),
  rule(
    'of-two-revokeUser-at-once-each-session-counts-once',
    'A report of ended sessions adds up to more than there were.',
    async (stores) => {
      const revoke = (store: LossyStores['store']): Promise<number> => store.revokeUser('ann')
      assert.deepEqual(await revokeAround(stores, revoke, revoke), [0, 2])
    },
  ),
  rule('beside-saves-ends-the-session', 'A lost phone that is busy stays logged in.', async (stores) => {
    const { driver, network, store, second } = openLossy(stores, { user: readUser })
    await saveUsers(second)
    const session = await load(second, 'a1')
    let saves = 0
    const overtake: typeof network.next = async (writes, now) => {
      if (saves < 4) network.next = overtake
      session.name = `saved ${saves++}`
      await save(session)
      return driver.write(writes, now)
    }
    network.next = overtake
    assert.equal(await store.revoke(store.handle('a1')), true)
    assert.equal(saves, 5)
    assert.equal(await second.get('a1'), null)
  }),
  rule(
    'revokeUser-ends-them-all',
    'After a change of password the thief stays logged in.',
    async ({ open, openOther }) => {
      const store = open({ user: readUser })
      await saveUsers(store)
      const late = await load(openOther({ user: readUser }), 'a2')
      assert.equal(await store.revokeUser('ann'), 2)
      late.name = 'late'
      await save(late)
      for (const id of ['a1', 'a2']) assert.equal(await openOther().get(id), null)
      for (const id of ['b1', 'n1']) assert.ok(await openOther().get(id))
      assert.equal(await store.revokeUser('ann'), 0)
    },
  ),
  rule(
    'revokeUser-keeps-the-one-excepted',
    'Whoever changes the password is logged out with the thief.',
    async ({ open, openOther }) => {
      for (const options of [{ user: readUser }, { user: readUser, hashIds: false }]) {
        const store = open(options)
        await store.clear()
        await saveUsers(store)
        assert.equal(await store.revokeUser('ann', { except: 'a1' }), 1)
        assert.deepEqual((await read(openOther(options), 'a1'))?.name, 'a1')
        assert.equal(await openOther(options).get('a2'), null)
        assert.equal(await store.revokeUser('bob', { except: 'a1' }), 1)
        assert.equal(await store.length(), 2)
      }
    },
  ),
  rule(
    'revokeUser-keeps-the-newest',
    'A limit of sessions per user ends the session that has just begun, and leaves the forgotten ones.',
    async ({ open, openOther, clock }) => {
      const store = open({ user: readUser })
      for (let i = 1; i <= 5; i++) {
        clock.now += 1000
        await store.set(`s${i}`, makePlain({ user: 'ann', name: `s${i}` }))
      }
      // An older session that is used again stays an older session.
      await save(await load(store, 's1'))
      assert.equal(await openOther({ user: readUser }).revokeUser('ann', { keepNewest: 5 }), 0)
      assert.equal(await store.revokeUser('ann', { keepNewest: 2, except: 's1' }), 2)
      const left = (await store.list({ user: 'ann' })).sessions.map(({ session }) => session)
      assert.deepEqual(left.map((session) => (session as unknown as { name: string }).name).sort(), [
        's1',
        's4',
        's5',
      ])
      for (const keepNewest of [-1, 0.5, Number.NaN, '2', null])
        await assertFails('INVALID_QUERY', store.revokeUser('ann', { keepNewest: keepNewest as number }))
      assert.equal(await store.length(), 3)
      assert.equal(await store.revokeUser('ann', { keepNewest: 0 }), 3)
    },
  ),
]
