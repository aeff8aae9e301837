import assert from 'node:assert/strict'
import { events, type SessionEvent, type SessionStore } from '@session-stores/core'
import {
  fails,
  fresh,
  HOUR,
  load,
  MINUTE,
  plain,
  published,
  read,
  ruleOf,
  type StoreRule,
  save,
} from './fixture.ts'

const rule = ruleOf('policy/gone')

/** A session that was ended stays so. */

const ID = 'the-session-id'
const BACK = 'Who has logged out is logged in again.'

/** Each way in which a session ends while a request works on it. */
const ends: Record<string, (store: SessionStore, clock: { now: number }) => Promise<unknown>> = {
  destroyed: (store) => store.destroy(ID),
  revoked: (store) => store.revoke(store.handle(ID)),
  'revoked-with-its-user': (store) => store.revokeUser('ann'),
  cleared: (store) => store.clear(),
  async expired(_store, clock) {
    clock.now += 2 * HOUR
  },
}

const lasting = (now: number) =>
  plain({ user: 'ann' }, { originalMaxAge: HOUR, expires: new Date(now + HOUR) })
const user = (session: object) => (session as { user?: string }).user

export const gone: StoreRule[] = [
  ...Object.entries(ends).map(([name, end]) =>
    rule(`a-session-that-was-${name}-is-not-saved`, BACK, async ({ one, other, clock, drivers }) => {
      const [store, second] = [one({ user }), other({ user })]
      await store.set(ID, lasting(clock.now))
      const loaded = await load(store, ID)
      const strict = await load(one({ user, onGone: 'error' }), ID)
      await end(second, clock)
      const heard = await published<SessionEvent>(events.gone, async () => {
        for (const name of ['once', 'again']) {
          loaded.name = name
          loaded.cookie.expires = new Date(clock.now + HOUR)
          await save(loaded)
          await store.touch(ID, loaded)
        }
      })
      // A touch whose cookie changed is a save.
      assert.ok(heard.length >= 2)
      for (const event of heard)
        assert.deepEqual(event, { driver: drivers[0].name, handle: store.handle(ID) })
      strict.name = 'geheim'
      await fails('GONE', save(strict), ID, 'geheim', store.handle(ID))
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
    async ({ one, other }) => {
      const store = one({ user })
      await store.set(ID, plain({ user: 'ann' }))
      await store.set('another', plain({ user: 'ann' }))
      await other({ user }).destroy(ID)
      assert.equal(await store.get(ID), null)
      assert.equal(await store.length(), 1)
      assert.deepEqual(await store.ids(), [store.handle('another')])
      assert.deepEqual(Object.keys(await store.all()), [store.handle('another')])
      assert.equal((await store.list()).sessions.length, 1)
      assert.equal((await store.list({ user: 'ann' })).sessions.length, 1)
      assert.equal(await store.revoke(store.handle(ID)), false)
    },
  ),
  rule('a-plain-save-does-not-undo-a-logout', BACK, async ({ one, other, clock }) => {
    const [store, second] = [one(), other({ onGone: 'error' })]
    await store.set(ID, plain())
    await store.destroy(ID)
    // Whoever saves a plain object must know that it was not saved.
    await fails('GONE', store.set(ID, plain({ name: 'late' })))
    await fails('GONE', second.set(ID, plain({ name: 'geheim' })), ID, 'geheim')
    assert.equal(await second.get(ID), null)
    clock.now += MINUTE - 1
    await fails('GONE', store.set(ID, plain({ name: 'late' })))
    assert.equal(await second.get(ID), null)
    clock.now += 1
    await store.set(ID, plain({ name: 'new' }))
    assert.deepEqual(await read(second, ID), { name: 'new' })
  }),
  rule(
    'a-plain-save-after-the-logout-of-nobody-is-kept',
    'A store of logouts forgets one, because the same key was removed at the login before.',
    async ({ one, other }) => {
      for (const hashIds of [true, false]) {
        const store = one({ hashIds })
        await store.destroy(ID)
        await store.destroy(ID)
        await other({ hashIds }).set(ID, plain({ name: 'Ada' }))
        assert.deepEqual(await read(store, ID), { name: 'Ada' })
        await store.destroy(ID)
        await fails('GONE', store.set(ID, plain()))
      }
    },
  ),
  rule(
    'tombstoneTimeout-is-how-long',
    'An option is there and does nothing.',
    async ({ one, other, clock }) => {
      const store = one({ tombstoneTimeout: 3 * HOUR })
      await store.set(ID, plain())
      await store.destroy(ID)
      clock.now += 3 * HOUR - 1
      await fails('GONE', other().set(ID, plain()))
      assert.equal(await store.get(ID), null)
      clock.now += 1
      await other().set(ID, plain())
      assert.ok(await store.get(ID))
    },
  ),
  ...[0, false as const].map((tombstoneTimeout) =>
    rule(
      `tombstoneTimeout-${tombstoneTimeout}-leaves-nothing`,
      'A script cannot replace a session.',
      async ({ one, other }) => {
        const store = one({ tombstoneTimeout })
        await store.set(ID, plain())
        const loaded = await load(store, ID)
        await store.destroy(ID)
        await save(loaded)
        assert.equal(await store.get(ID), null, 'a save of what was read is refused all the same')
        await other().set(ID, plain({ name: 'new' }))
        assert.deepEqual(await read(store, ID), { name: 'new' })
        loaded.name = 'late'
        await fails('CONFLICT', other({ onConflict: 'error' }).set(ID, loaded))
      },
    ),
  ),
  rule(
    'a-new-session-may-have-an-ended-id',
    'An application that makes its own ids cannot log in again.',
    async ({ one, other }) => {
      const store = one()
      await save(fresh(store, ID, { name: 'old', old: true }))
      await store.destroy(ID)
      await save(fresh(store, ID, { name: 'new' }))
      assert.deepEqual(await read(other(), ID), { name: 'new' })
    },
  ),
  rule(
    'a-late-save-does-not-get-into-a-new-session',
    'What one user did shows in the session of the next.',
    async ({ one, other }) => {
      const store = one({ onConflict: 'error', onGone: 'error' })
      await save(fresh(store, ID, { name: 'old' }))
      const loaded = await load(store, ID)
      await other().destroy(ID)
      await fails('GONE', save(loaded))
    },
  ),
]
