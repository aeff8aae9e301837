import assert from 'node:assert/strict'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { load, makePlain, read, readUser, save, saveUsers } from './sessions.ts'

/** Rules about ending the sessions of a user. */

const rule = prefixRules('policy/revoke')

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
