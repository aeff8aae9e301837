import assert from 'node:assert/strict'
import { both } from './conflicts.ts'
import { fails, fresh, load, plain, read, ruleOf, type StoreRule, save } from './fixture.ts'

const rule = ruleOf('policy/collisions')

/** What happens to two saves where it is no merge. */

const ID = 'the-session-id'

export const collisions: StoreRule[] = [
  rule('overwrite-takes-the-last-save', 'An option is there and does nothing.', async (stores) => {
    const [mine, theirs, reader] = await both(stores, { old: 1 }, { onConflict: 'overwrite' })
    theirs.theirs = 1
    await save(theirs)
    delete mine.old
    mine.mine = 1
    await save(mine)
    assert.deepEqual(await read(reader, ID), { mine: 1 })
    await save(theirs)
    assert.deepEqual(await read(reader, ID), { old: 1, theirs: 1 })
  }),
  rule('overwrite-does-not-undo-a-logout', 'A logout is undone by a slow request.', async (stores) => {
    const [mine, , reader] = await both(stores, {}, { onConflict: 'overwrite' })
    await reader.destroy(ID)
    await save(mine)
    assert.equal(await reader.get(ID), null)
  }),
  rule(
    'a-conflict-may-be-an-error',
    'Whoever must know of a conflict does not learn of it.',
    async (stores) => {
      const [mine, theirs, reader] = await both(stores, { name: 'Ada' }, { onConflict: 'error' })
      theirs.name = 'geheim'
      await save(theirs)
      mine.name = 'geheim'
      await fails('CONFLICT', save(mine), ID, 'geheim', stores.one().handle(ID))
      mine.name = 'mine'
      await fails('CONFLICT', save(mine))
      assert.deepEqual(await read(reader, ID), { name: 'geheim' })
      const again = await load(stores.one({ onConflict: 'error' }), ID)
      again.name = 'mine'
      await save(again)
      assert.deepEqual(await read(reader, ID), { name: 'mine' })
      await fails('CONFLICT', save(fresh(stores.one({ onConflict: 'error' }), ID)))
    },
  ),
  rule(
    'a-plain-object-replaces',
    'A script cannot repair a session, or repairs half of it.',
    async ({ one, other }) => {
      await save(fresh(one(), ID, { name: 'Ada', role: 'admin' }))
      const loaded = await load(one(), ID)
      await other().set(ID, plain({ name: 'Grace' }))
      assert.deepEqual(await read(one(), ID), { name: 'Grace' })
      loaded.late = true
      await save(loaded)
      assert.deepEqual(await read(one(), ID), { name: 'Grace', late: true })
    },
  ),
  rule(
    'one-object-may-be-saved-under-two-ids',
    'A session that was copied is merged with what it was copied from.',
    async ({ one, other }) => {
      const store = one()
      const object = plain({ name: 'Ada' })
      for (const id of ['a', 'b', 'a', 'b']) await store.set(id, object)
      const found = (await store.get('a')) as typeof object
      await other().set('b', plain({ name: 'Grace', role: 'admin' }))
      found.name = 'copied'
      await store.set('b', found)
      assert.deepEqual(await read(other(), 'b'), { name: 'copied' })
      await store.set('a', found)
      assert.deepEqual(await read(other(), 'a'), { name: 'copied' })
      const loaded = await load(store, 'a')
      loaded.name = 'of a request'
      await store.set('c', loaded)
      await store.set('a', loaded)
      assert.deepEqual(await read(other(), 'c'), { name: 'of a request' })
      assert.deepEqual(await read(other(), 'a'), { name: 'of a request' })
    },
  ),
]
