import assert from 'node:assert/strict'
import { events, type PruneEvent } from '@session-stores/core'
import { DAY, fails, fresh, HOUR, load, plain, read, ruleOf, type StoreRule, save } from './fixture.ts'

const rule = ruleOf('policy/bulk')

/** What is about the whole store, and its life. */

const ID = 'the-session-id'

export const bulk: StoreRule[] = [
  rule(
    'all-ids-and-length-tell-every-live-session',
    'Sessions are missing from a report, or dead ones are in it.',
    async ({ one, other, clock }) => {
      const store = one()
      const names = Array.from({ length: 1000 }, (_, i) => `id-${i}`)
      const cookie = (i: number) => ({ expires: new Date(clock.now + (i % 4 ? DAY : HOUR)) })
      await Promise.all(names.map((name, i) => store.set(name, plain({ name }, cookie(i)))))
      await Promise.all(names.filter((_, i) => i % 4 === 1).map((name) => store.destroy(name)))
      clock.now += HOUR
      const left = names.filter((_, i) => i % 4 > 1)
      const reader = other()
      assert.equal(await reader.length(), left.length)
      assert.deepEqual((await reader.ids()).sort(), left.map((name) => store.handle(name)).sort())
      const all = await reader.all()
      assert.deepEqual(
        Object.entries(all)
          .map(([handle, session]) => [handle, (session as unknown as { name: string }).name])
          .sort(),
        left.map((name) => [store.handle(name), name]).sort(),
      )
      for (const session of Object.values(all))
        assert.deepEqual(session.cookie.expires, new Date(clock.now - HOUR + DAY))
    },
  ),
  rule(
    'clear-removes-everything',
    'Sessions are left behind, or nobody can log in any more.',
    async ({ one, other }) => {
      const store = one({ user: (session) => (session as unknown as { user: string }).user })
      await Promise.all(Array.from({ length: 600 }, (_, i) => store.set(`id-${i}`, plain({ user: 'ann' }))))
      await store.set(ID, plain())
      await store.destroy('id-1')
      const loaded = await load(store, ID)
      await other().clear()
      assert.equal(await store.length(), 0)
      assert.deepEqual(await store.ids(), [])
      assert.deepEqual(await store.all(), {})
      assert.deepEqual((await store.list({ user: 'ann' })).sessions, [])
      await save(loaded)
      assert.equal(await store.get(ID), null, 'a late save brings nothing back')
      await store.set('id-1', plain({ name: 'new' }))
      assert.deepEqual(await read(other(), 'id-1'), { name: 'new' }, 'no tombstone is left')
      await other().clear()
      await other().clear()
      assert.equal(await store.length(), 0)
    },
  ),
  rule(
    'prune-removes-no-live-session',
    'Whoever works without pause is logged out by the cleaning.',
    async ({ one, other, clock }) => {
      const store = one()
      const names = Array.from({ length: 600 }, (_, i) => `id-${i}`)
      const cookie = (i: number) => ({ expires: new Date(clock.now + (i % 2 ? 10 * DAY : HOUR)) })
      await Promise.all(names.map((name, i) => store.set(name, plain({ name }, cookie(i)))))
      await Promise.all(
        names
          .filter((_, i) => i % 4 === 0)
          .map((name) => store.touch(name, plain({}, { expires: new Date(clock.now + 10 * DAY) }))),
      )
      clock.now += 5 * DAY
      const counts = await Promise.all([store.prune(), other().prune(), store.prune()])
      for (const count of counts) assert.ok(Number.isSafeInteger(count) && count >= 0)
      assert.equal(await store.prune(), 0, 'nothing is left to prune')
      const found = await Promise.all(names.map((name) => read(store, name)))
      assert.deepEqual(
        found,
        names.map((name, i) => (i % 4 === 2 ? null : { name })),
      )
      assert.equal(await store.length(), 450)
    },
  ),
  rule('the-store-prunes-by-itself', 'Dead sessions fill the disk.', async ({ one, clock }) => {
    const store = one({ pruneInterval: 1 })
    const pruned = Promise.withResolvers<PruneEvent>()
    const heard = (event: unknown) => pruned.resolve(event as PruneEvent)
    events.prune.subscribe(heard)
    try {
      await store.set(ID, plain({}, { expires: new Date(clock.now + HOUR) }))
      const { driver, removed, error } = await pruned.promise
      assert.deepEqual({ removed, error }, { removed: 0, error: null })
      assert.equal(typeof driver, 'string')
    } finally {
      events.prune.unsubscribe(heard)
      await store.close()
    }
  }),
  rule(
    'ping-answers',
    'A health check that never fails, or always, takes the server out of service.',
    async ({ one }) => {
      const store = one()
      assert.equal(await store.ping(), undefined)
      await store.close()
      await fails('CLOSED', store.ping())
    },
  ),
  rule(
    'close-waits-for-what-is-on-its-way',
    'A restart loses what was just saved.',
    async ({ one, other }) => {
      const store = one()
      const session = fresh(store, ID, { name: 'Ada' })
      const saved = save(session)
      const closed = store.close()
      await saved
      await closed
      assert.deepEqual(await read(other(), ID), { name: 'Ada' })
    },
  ),
  rule(
    'close-may-come-twice-and-first',
    'A shutdown fails because of another one.',
    async ({ one, other }) => {
      const store = one()
      await Promise.all([store.close(), store.close()])
      await store.close()
      await other().set(ID, plain())
      await other().close()
    },
  ),
  rule(
    'a-closed-store-says-so',
    'After the shutdown began, requests hang or end the process.',
    async ({ one }) => {
      const store = one({ user: () => 'ann' })
      await store.set(ID, plain())
      const loaded = await load(store, ID)
      const closed = store.close()
      const calls = [
        store.get(ID),
        store.set(ID, plain()),
        save(loaded),
        store.touch(ID, loaded),
        store.destroy(ID),
        store.all(),
        store.ids(),
        store.length(),
        store.clear(),
        store.list(),
        store.revoke(store.handle(ID)),
        store.revokeUser('ann'),
        store.assignUsers(),
        store.prune(),
        store.ping(),
      ]
      for (const call of calls) await fails('CLOSED', call, ID)
      await closed
      await fails('CLOSED', store.get(ID), ID)
    },
  ),
]
