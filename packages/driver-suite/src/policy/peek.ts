import assert from 'node:assert/strict'
import { type CallEvent, events } from '@session-stores/core'
import { HOUR } from '../common.ts'
import { assertFails, prefixRules, recordMessages, type StoreRule } from './fixture.ts'
import { ID, makeLasting, makePlain } from './sessions.ts'

/** Rules about `peek`, which reads a session by its handle. */

const rule = prefixRules('policy/peek')

const WRONG = 'A token of a session that has ended still opens the API, or that of a live one does not.'

export const peeks: StoreRule[] = [
  rule('shows-what-list-shows', WRONG, async ({ open, openOther, clock }) => {
    const store = open()
    await store.set(ID, makeLasting(clock.now, HOUR, { name: 'Ada' }))
    const { sessions } = await store.list()
    assert.deepEqual(await openOther().peek(store.handle(ID)), sessions[0])
  }),
  rule('shows-no-session-that-has-ended', WRONG, async ({ open, openOther, clock }) => {
    const store = open()
    assert.equal(await store.peek(store.handle('nobody')), null)
    await store.set('destroyed', makePlain())
    await openOther().destroy('destroyed')
    assert.equal(await store.peek(store.handle('destroyed')), null)
    await store.set('expired', makeLasting(clock.now, HOUR))
    clock.now += HOUR
    assert.equal(await store.peek(store.handle('expired')), null)
  }),
  rule('sees-the-calls-before-it', WRONG, async ({ open }) => {
    const store = open()
    void store.set(ID, makePlain({ name: 'Ada' }))
    const there = store.peek(store.handle(ID))
    void store.destroy(ID)
    const gone = store.peek(store.handle(ID))
    assert.ok(await there)
    assert.equal(await gone, null)
  }),
  rule('at-once-share-trips', 'Checking tokens costs a round trip for each request.', async ({ open }) => {
    const store = open()
    const ids = Array.from({ length: 64 }, (_, i) => `${ID}-${i}`)
    await Promise.all(ids.map((id) => store.set(id, makePlain())))
    const calls = await recordMessages<CallEvent>(events.call, () =>
      Promise.all(ids.map((id) => store.peek(store.handle(id)))),
    )
    const reads = calls.filter(({ verb }) => verb === 'read')
    assert.ok(reads.length <= 4, `${reads.length} round trips`)
  }),
  rule('refuses-what-is-no-handle', 'A mistake looks like a session that has ended.', async ({ open }) => {
    const store = open()
    for (const handle of ['', ID, 'x'.repeat(44), undefined, {}])
      await assertFails('INVALID_ID', store.peek(handle as string))
    const plain = open({ hashIds: false })
    await assert.rejects(plain.peek(store.handle(ID)), ({ message }: Error) => {
      assert.match(message, /hashIds: true/)
      return true
    })
  }),
]
