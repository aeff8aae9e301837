import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'
import { fails, load, plain, read, ruleOf, type StoreRule, save } from './fixture.ts'

const rule = ruleOf('policy/revoke')

/** Ending the sessions of a user. */

const user = (session: object) => (session as { user?: string | number }).user

/** Two sessions of ann, one of bob, one of nobody; named by their ids. */
async function fill(store: SessionStore): Promise<void> {
  await Promise.all(
    Object.entries({ a1: 'ann', a2: 'ann', b1: 'bob', n1: undefined }).map(([name, user]) =>
      store.set(name, plain({ name, user })),
    ),
  )
}

export const revocations: StoreRule[] = [
  rule('ends-one-session', 'A lost phone stays logged in.', async ({ one, other }) => {
    const store = one({ user })
    await fill(store)
    const loaded = await load(other({ user }), 'a1')
    const handle = store.handle('a1')
    assert.equal(await store.revoke(handle), true)
    assert.equal(await other().get('a1'), null)
    loaded.name = 'late'
    await save(loaded)
    await fails('GONE', store.set('a1', plain({ name: 'late' })))
    assert.equal(await other().get('a1'), null)
    assert.equal(await store.revoke(handle), false)
    assert.equal(await store.revoke(store.handle('nobody')), false)
    assert.equal(await store.length(), 3)
  }),
  rule(
    "with-a-user-ends-only-that-user's",
    'Whoever guesses or sees a handle logs somebody else out.',
    async ({ one }) => {
      for (const options of [{ user }, { user, hashIds: false }]) {
        const store = one(options)
        await store.clear()
        await fill(store)
        assert.equal(await store.revoke(store.handle('b1'), { user: 'ann' }), false)
        assert.equal(await store.revoke(store.handle('n1'), { user: 'ann' }), false)
        assert.equal(await store.length(), 4)
        await fails('INVALID_USER', store.revoke(store.handle('b1'), { user: undefined as never }))
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
    async ({ one, other }) => {
      const store = one({ user })
      await fill(store)
      const late = await load(other({ user }), 'a2')
      assert.equal(await store.revokeUser('ann'), 2)
      late.name = 'late'
      await save(late)
      for (const id of ['a1', 'a2']) assert.equal(await other().get(id), null)
      for (const id of ['b1', 'n1']) assert.ok(await other().get(id))
      assert.equal(await store.revokeUser('ann'), 0)
    },
  ),
  rule(
    'revokeUser-keeps-the-one-excepted',
    'Whoever changes the password is logged out with the thief.',
    async ({ one, other }) => {
      for (const options of [{ user }, { user, hashIds: false }]) {
        const store = one(options)
        await store.clear()
        await fill(store)
        assert.equal(await store.revokeUser('ann', { except: 'a1' }), 1)
        assert.deepEqual((await read(other(options), 'a1'))?.name, 'a1')
        assert.equal(await other(options).get('a2'), null)
        assert.equal(await store.revokeUser('bob', { except: 'a1' }), 1)
        assert.equal(await store.length(), 2)
      }
    },
  ),
]
