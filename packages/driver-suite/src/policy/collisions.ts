import assert from 'node:assert/strict'
import { loadBoth } from './conflicts.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { ID, load, makeFresh, makePlain, read, save } from './sessions.ts'

/** Rules about two saves of one session that are not merged. */

const rule = prefixRules('policy/collisions')

export const collisions: StoreRule[] = [
  rule('overwrite-takes-the-last-save', 'An option is there and does nothing.', async (stores) => {
    const [mine, theirs, reader] = await loadBoth(stores, { old: 1 }, { onConflict: 'overwrite' })
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
    const [mine, , reader] = await loadBoth(stores, {}, { onConflict: 'overwrite' })
    await reader.destroy(ID)
    await save(mine)
    assert.equal(await reader.get(ID), null)
  }),
  rule(
    'a-conflict-may-be-an-error',
    'Whoever must know of a conflict does not learn of it.',
    async (stores) => {
      const [mine, theirs, reader] = await loadBoth(stores, { name: 'Ada' }, { onConflict: 'error' })
      theirs.name = 'geheim'
      await save(theirs)
      mine.name = 'geheim'
      await assertFails('CONFLICT', save(mine), ID, 'geheim', stores.open().handle(ID))
      mine.name = 'mine'
      await assertFails('CONFLICT', save(mine))
      assert.deepEqual(await read(reader, ID), { name: 'geheim' })
      const again = await load(stores.open({ onConflict: 'error' }), ID)
      again.name = 'mine'
      await save(again)
      assert.deepEqual(await read(reader, ID), { name: 'mine' })
      await assertFails('CONFLICT', save(makeFresh(stores.open({ onConflict: 'error' }), ID)))
    },
  ),
  rule(
    'a-plain-object-replaces',
    'A script cannot repair a session, or repairs half of it.',
    async ({ open, openOther }) => {
      await save(makeFresh(open(), ID, { name: 'Ada', role: 'admin' }))
      const loaded = await load(open(), ID)
      await openOther().set(ID, makePlain({ name: 'Grace' }))
      assert.deepEqual(await read(open(), ID), { name: 'Grace' })
      loaded.late = true
      await save(loaded)
      assert.deepEqual(await read(open(), ID), { name: 'Grace', late: true })
    },
  ),
  rule(
    'one-object-may-be-saved-under-two-ids',
    'A session that was copied is merged with what it was copied from.',
    async ({ open, openOther }) => {
      const store = open()
      const object = makePlain({ name: 'Ada' })
      for (const id of ['a', 'b', 'a', 'b']) await store.set(id, object)
      const found = (await store.get('a')) as typeof object
      await openOther().set('b', makePlain({ name: 'Grace', role: 'admin' }))
      found.name = 'copied'
      await store.set('b', found)
      assert.deepEqual(await read(openOther(), 'b'), { name: 'copied' })
      await store.set('a', found)
      assert.deepEqual(await read(openOther(), 'a'), { name: 'copied' })
      const loaded = await load(store, 'a')
      loaded.name = 'of a request'
      await store.set('c', loaded)
      await store.set('a', loaded)
      assert.deepEqual(await read(openOther(), 'c'), { name: 'of a request' })
      assert.deepEqual(await read(openOther(), 'a'), { name: 'of a request' })
    },
  ),
]
