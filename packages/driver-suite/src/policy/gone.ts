import assert from 'node:assert/strict'
import { events, type SessionEvent } from '@session-stores/core'
import { HOUR, MINUTE } from '../common.ts'
import { BACK, endings } from './endings.ts'
import { assertFails, prefixRules, recordMessages, type StoreRule } from './fixture.ts'
import { ID, load, makeFresh, makeLasting, makePlain, read, readUser, save } from './sessions.ts'

/** Rules that a session which was ended stays ended. */

const rule = prefixRules('policy/gone')

export const gone: StoreRule[] = [
  ...Object.entries(endings).map(([name, end]) =>
    rule(`a-session-that-was-${name}-is-not-saved`, BACK, async ({ open, openOther, clock, drivers }) => {
      const [store, second] = [open({ user: readUser }), openOther({ user: readUser })]
      await store.set(ID, makeLasting(clock.now, HOUR, { user: 'ann' }))
      const loaded = await load(store, ID)
      const strict = await load(open({ user: readUser, onGone: 'error' }), ID)
      await end(second, clock)
      const heard = await recordMessages<SessionEvent>(events.gone, async () => {
        for (const name of ['once', 'again']) {
          loaded.name = name
          loaded.cookie.expires = new Date(clock.now + HOUR)
          await save(loaded)
          await store.touch(ID, loaded)
        }
      })
      // There may be more than two events, because a touch with a changed cookie is a save.
      assert.ok(heard.length >= 2)
      for (const event of heard)
        assert.deepEqual(event, { driver: drivers[0].name, handle: store.handle(ID) })
      strict.name = 'geheim'
      await assertFails('GONE', save(strict), ID, 'geheim', store.handle(ID))
      for (const reader of [store, second]) {
        assert.equal(await reader.get(ID), null)
        assert.equal(await reader.length(), 0)
        assert.deepEqual(await reader.ids(), [])
      }
    }),
  ),
  rule(
    'a-destroyed-session-is-nowhere',
    'A session that was ended is listed and counted.',
    async ({ open, openOther }) => {
      const store = open({ user: readUser })
      await store.set(ID, makePlain({ user: 'ann' }))
      await store.set('another', makePlain({ user: 'ann' }))
      await openOther({ user: readUser }).destroy(ID)
      assert.equal(await store.get(ID), null)
      assert.equal(await store.length(), 1)
      assert.deepEqual(await store.ids(), [store.handle('another')])
      assert.deepEqual(Object.keys(await store.all()), [store.handle('another')])
      assert.equal((await store.list()).sessions.length, 1)
      assert.equal((await store.list({ user: 'ann' })).sessions.length, 1)
      assert.equal(await store.revoke(store.handle(ID)), false)
    },
  ),
  rule('a-plain-save-does-not-undo-a-logout', BACK, async ({ open, openOther, clock }) => {
    const [store, second] = [open(), openOther({ onGone: 'error' })]
    await store.set(ID, makePlain())
    await store.destroy(ID)
    // A plain object has no history, so its late save must fail with an error.
    await assertFails('GONE', store.set(ID, makePlain({ name: 'late' })))
    await assertFails('GONE', second.set(ID, makePlain({ name: 'geheim' })), ID, 'geheim')
    assert.equal(await second.get(ID), null)
    clock.now += MINUTE - 1
    await assertFails('GONE', store.set(ID, makePlain({ name: 'late' })))
    assert.equal(await second.get(ID), null)
    clock.now += 1
    await store.set(ID, makePlain({ name: 'new' }))
    assert.deepEqual(await read(second, ID), { name: 'new' })
  }),
  rule(
    'a-plain-save-after-the-logout-of-nobody-is-kept',
    'A store of logouts forgets one, because the same key was removed at the login before.',
    async ({ open, openOther }) => {
      for (const hashIds of [true, false]) {
        const store = open({ hashIds })
        await store.destroy(ID)
        await store.destroy(ID)
        await openOther({ hashIds }).set(ID, makePlain({ name: 'Ada' }))
        assert.deepEqual(await read(store, ID), { name: 'Ada' })
        await store.destroy(ID)
        await assertFails('GONE', store.set(ID, makePlain()))
      }
    },
  ),
  rule(
    'tombstoneTimeout-is-how-long',
    'An option is there and does nothing.',
    async ({ open, openOther, clock }) => {
      const store = open({ tombstoneTimeout: 3 * HOUR })
      await store.set(ID, makePlain())
      await store.destroy(ID)
      clock.now += 3 * HOUR - 1
      await assertFails('GONE', openOther().set(ID, makePlain()))
      assert.equal(await store.get(ID), null)
      clock.now += 1
      await openOther().set(ID, makePlain())
      assert.ok(await store.get(ID))
    },
  ),
  ...[0, false as const].map((tombstoneTimeout) =>
    rule(
      `tombstoneTimeout-${tombstoneTimeout}-leaves-nothing`,
      'A script cannot replace a session.',
      async ({ open, openOther }) => {
        const store = open({ tombstoneTimeout })
        await store.set(ID, makePlain())
        const loaded = await load(store, ID)
        await store.destroy(ID)
        await save(loaded)
        assert.equal(await store.get(ID), null, 'a save of what was read is refused all the same')
        await openOther().set(ID, makePlain({ name: 'new' }))
        assert.deepEqual(await read(store, ID), { name: 'new' })
        loaded.name = 'late'
        await assertFails('CONFLICT', openOther({ onConflict: 'error' }).set(ID, loaded))
      },
    ),
  ),
  rule(
    'a-new-session-may-have-an-ended-id',
    'An application that makes its own ids cannot log in again.',
    async ({ open, openOther }) => {
      const store = open()
      await save(makeFresh(store, ID, { name: 'old', old: true }))
      await store.destroy(ID)
      await save(makeFresh(store, ID, { name: 'new' }))
      assert.deepEqual(await read(openOther(), ID), { name: 'new' })
    },
  ),
  rule(
    'a-late-save-does-not-get-into-a-new-session',
    'What one user did shows in the session of the next.',
    async ({ open, openOther }) => {
      const store = open({ onConflict: 'error', onGone: 'error' })
      await save(makeFresh(store, ID, { name: 'old' }))
      const loaded = await load(store, ID)
      await openOther().destroy(ID)
      await assertFails('GONE', save(loaded))
    },
  ),
]
