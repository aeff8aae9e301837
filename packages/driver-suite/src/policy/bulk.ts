import assert from 'node:assert/strict'
import { events, type PruneEvent } from '@session-stores/core'
import { DAY, HOUR } from '../common.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { ID, load, makeFresh, makePlain, read, readUser, save } from './sessions.ts'

/** Rules about calls for the whole store, and about opening and closing it. */

const rule = prefixRules('policy/bulk')

export const bulk: StoreRule[] = [
  rule(
    'all-ids-and-length-tell-every-live-session',
    'Sessions are missing from a report, or dead ones are in it.',
    async ({ open, openOther, clock }) => {
      const store = open()
      const names = Array.from({ length: 1000 }, (_, i) => `id-${i}`)
      const cookie = (i: number) => ({ expires: new Date(clock.now + (i % 4 ? DAY : HOUR)) })
      await Promise.all(names.map((name, i) => store.set(name, makePlain({ name }, cookie(i)))))
      await Promise.all(names.filter((_, i) => i % 4 === 1).map((name) => store.destroy(name)))
      clock.now += HOUR
      const left = names.filter((_, i) => i % 4 > 1)
      const reader = openOther()
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
    async ({ open, openOther }) => {
      const store = open({ user: readUser })
      await Promise.all(
        Array.from({ length: 600 }, (_, i) => store.set(`id-${i}`, makePlain({ user: 'ann' }))),
      )
      await store.set(ID, makePlain())
      await store.destroy('id-1')
      const loaded = await load(store, ID)
      await openOther().clear()
      assert.equal(await store.length(), 0)
      assert.deepEqual(await store.ids(), [])
      assert.deepEqual(await store.all(), {})
      assert.deepEqual((await store.list({ user: 'ann' })).sessions, [])
      await save(loaded)
      assert.equal(await store.get(ID), null, 'a late save brings nothing back')
      await store.set('id-1', makePlain({ name: 'new' }))
      assert.deepEqual(await read(openOther(), 'id-1'), { name: 'new' }, 'no tombstone is left')
      await openOther().clear()
      await openOther().clear()
      assert.equal(await store.length(), 0)
    },
  ),
  rule(
    'prune-removes-no-live-session',
    'Whoever works without pause is logged out by the cleaning.',
    async ({ open, openOther, clock }) => {
      const store = open()
      const names = Array.from({ length: 600 }, (_, i) => `id-${i}`)
      const cookie = (i: number) => ({ expires: new Date(clock.now + (i % 2 ? 10 * DAY : HOUR)) })
      await Promise.all(names.map((name, i) => store.set(name, makePlain({ name }, cookie(i)))))
      await Promise.all(
        names
          .filter((_, i) => i % 4 === 0)
          .map((name) => store.touch(name, makePlain({}, { expires: new Date(clock.now + 10 * DAY) }))),
      )
      clock.now += 5 * DAY
      const counts = await Promise.all([store.prune(), openOther().prune(), store.prune()])
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
  rule('the-store-prunes-by-itself', 'Dead sessions fill the disk.', async ({ open, clock }) => {
    const store = open({ pruneInterval: 1 })
    const pruned = Promise.withResolvers<PruneEvent>()
    const heard = (event: unknown) => pruned.resolve(event as PruneEvent)
    events.prune.subscribe(heard)
    try {
      await store.set(ID, makePlain({}, { expires: new Date(clock.now + HOUR) }))
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
    async ({ open }) => {
      const store = open()
      assert.equal(await store.ping(), undefined)
      await store.close()
      await assertFails('CLOSED', store.ping())
    },
  ),
  rule(
    'close-waits-for-what-is-on-its-way',
    'A restart loses what was just saved.',
    async ({ open, openOther }) => {
      const store = open()
      const session = makeFresh(store, ID, { name: 'Ada' })
      const saved = save(session)
      const closed = store.close()
      await saved
      await closed
      assert.deepEqual(await read(openOther(), ID), { name: 'Ada' })
    },
  ),
  rule(
    'close-may-come-twice-and-first',
    'A shutdown fails because of another one.',
    async ({ open, openOther }) => {
      const store = open()
      await Promise.all([store.close(), store.close()])
      await store.close()
      await openOther().set(ID, makePlain())
      await openOther().close()
    },
  ),
  rule(
    'a-closed-store-says-so',
    'After the shutdown began, requests hang or end the process.',
    async ({ open }) => {
      const store = open({ user: () => 'ann' })
      await store.set(ID, makePlain())
      const loaded = await load(store, ID)
      const closed = store.close()
      const calls = [
        store.get(ID),
        store.set(ID, makePlain()),
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
      for (const call of calls) await assertFails('CLOSED', call, ID)
      await closed
      await assertFails('CLOSED', store.get(ID), ID)
    },
  ),
]
