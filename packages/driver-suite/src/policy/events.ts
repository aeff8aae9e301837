import assert from 'node:assert/strict'
import { type CallEvent, events } from '@session-stores/core'
import { fails, plain, published, ruleOf, type StoreRule } from './fixture.ts'

const rule = ruleOf('policy/events')

/** What the store publishes on `node:diagnostics_channel` about its calls; conflicts and the rest are with their rules. */

export const diagnostics: StoreRule[] = [
  rule(
    'calls-are-published',
    'Nobody can tell what the store does, or how long it takes.',
    async ({ one, drivers }) => {
      const store = one()
      await store.ping()
      const heard = await published<CallEvent>(events.call, async () => {
        await Promise.all(['a', 'b', 'c'].map((id) => store.set(id, plain({ secret: 'geheim' }))))
        await Promise.all(['a', 'b'].map((id) => store.get(id)))
        await store.touch('a', plain())
        await store.destroy('a')
      })
      assert.deepEqual(
        heard.map(({ driver, verb, size, error }) => [driver, verb, size, error]),
        [
          // What is saved is no session of a request: it is looked up first.
          [drivers[0].name, 'read', 3, null],
          [drivers[0].name, 'write', 3, null],
          [drivers[0].name, 'read', 2, null],
          [drivers[0].name, 'touch', 1, null],
          // What is destroyed is looked up, too: where nobody has that session, the next one may have its id.
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
    async ({ one }) => {
      const store = one()
      await store.ping()
      const heard = await published<CallEvent>(events.call, () =>
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
    async ({ one }) => {
      const store = one()
      const heard = await published<CallEvent>(events.call, async () => {
        await fails('INVALID_ID', store.get(7 as never))
        await fails('INVALID_SESSION', store.set('a', null as never))
      })
      assert.deepEqual(heard, [])
    },
  ),
]
