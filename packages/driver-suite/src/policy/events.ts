import assert from 'node:assert/strict'
import { type CallEvent, type EndedEvent, events } from '@session-stores/core'
import { assertFails, prefixRules, recordMessages, type StoreRule } from './fixture.ts'
import { load, makePlain } from './sessions.ts'

/**
 * Rules about the events of calls on `node:diagnostics_channel`. Other events are checked where
 * they occur.
 */

const rule = prefixRules('policy/events')

export const diagnostics: StoreRule[] = [
  rule(
    'calls-are-published',
    'Nobody can tell what the store does, or how long it takes.',
    async ({ open, drivers }) => {
      const store = open()
      await store.ping()
      const heard = await recordMessages<CallEvent>(events.call, async () => {
        await Promise.all(['a', 'b', 'c'].map((id) => store.set(id, makePlain({ secret: 'geheim' }))))
        await Promise.all(['a', 'b'].map((id) => store.get(id)))
        await store.touch('a', makePlain())
        await store.destroy('a')
      })
      assert.deepEqual(
        heard.map(({ driver, verb, size, error }) => [driver, verb, size, error]),
        [
          // The store reads first, because these plain sessions were not loaded from it.
          [drivers[0].name, 'read', 3, null],
          [drivers[0].name, 'write', 3, null],
          [drivers[0].name, 'read', 2, null],
          [drivers[0].name, 'touch', 1, null],
          // A destroy reads first too, because an id without a session must stay usable.
          [drivers[0].name, 'read', 1, null],
          [drivers[0].name, 'write', 1, null],
        ],
      )
      for (const event of heard) {
        assert.ok(Number.isFinite(event.duration) && event.duration >= 0)
        assert.deepEqual(Object.keys(event).sort(), ['driver', 'duration', 'error', 'size', 'verb'])
      }
    },
  ),
  rule(
    'calls-of-one-turn-share-a-trip',
    'Under load the store makes a trip to the database for each request.',
    async ({ open }) => {
      const store = open()
      await store.ping()
      const heard = await recordMessages<CallEvent>(events.call, () =>
        Promise.all(Array.from({ length: 100 }, (_, i) => store.get(`id-${i % 50}`))),
      )
      assert.deepEqual(
        heard.map(({ verb, size }) => [verb, size]),
        [['read', 50]],
      )
    },
  ),
  rule(
    'a-call-that-makes-no-trip-is-not-published',
    'Metrics count calls of the database that were none.',
    async ({ open }) => {
      const store = open()
      const heard = await recordMessages<CallEvent>(events.call, async () => {
        await assertFails('INVALID_ID', store.get(7 as never))
        await assertFails('INVALID_SESSION', store.set('a', null as never))
      })
      assert.deepEqual(heard, [])
    },
  ),
  rule(
    'ends-are-published',
    'A WebSocket stays open, and a token stays valid, after the logout in the same process.',
    async ({ open }) => {
      const user = (session: object) => (session as { user?: string }).user
      const store = open({ user })
      const ids = ['destroyed', 'revoked', 'with-user', 'regenerated']
      for (const id of ids) await store.set(id, makePlain({ user: id }))
      Object.assign(store, { generate: () => {} })
      const session = await load(store, 'regenerated')
      const heard = await recordMessages<EndedEvent>(events.ended, async () => {
        await store.destroy('destroyed')
        await store.revoke(store.handle('revoked'))
        await store.revokeUser('with-user')
        await new Promise((resolve) =>
          store.regenerate({ sessionID: 'regenerated', session } as never, resolve),
        )
        await store.destroy('nobody')
        await store.revoke(store.handle('revoked'))
        await store.clear()
      })
      assert.deepEqual(
        heard.map(({ handle }) => handle),
        [...ids.map((id) => store.handle(id)), undefined],
      )
    },
  ),
]
