import assert from 'node:assert/strict'
import type { SessionStore } from '@session-stores/core'
import { DAY, HOUR, readKeys } from '../common.ts'
import { assertFails, prefixRules, type StoreRule } from './fixture.ts'
import { data, makeOther } from './other-store.ts'
import { ID, load, makeLasting, makePlain, readUser } from './sessions.ts'

/** Rules about sessions that end while the other store may still hold, or write, their rows. */

const rule = prefixRules('policy/legacy-logout')

const REVIVED = 'A session that was signed out comes back from the other store.'

/** The ways in which a session ends that was read before. */
const endings: Record<string, (store: SessionStore) => Promise<unknown>> = {
  destroyed: (store) => store.destroy(ID),
  revoked: (store) => store.revoke(store.handle(ID)),
  'revoked-with-its-user': (store) => store.revokeUser('ann'),
  async regenerated(store) {
    const session = await load(store, ID)
    Object.assign(store, { generate() {} })
    const request = { sessionID: ID, session }
    await new Promise<void>((resolve, reject) => {
      store.regenerate(request as never, (error) => (error ? reject(error) : resolve()))
    })
  },
}

export const legacyLogouts: StoreRule[] = [
  rule('beside-a-logout-brings-nothing-back', REVIVED, async (stores) => {
    const other = makeOther(stores)
    const store = stores.open(other.from(stores.clock.now))
    const second = stores.openOther(other.from(stores.clock.now))
    let isFirst = true
    other.onRead = async () => {
      if (!isFirst) return
      isFirst = false
      await second.destroy(ID)
    }
    assert.equal(await store.get(ID), null)
    assert.equal(await second.get(ID), null)
  }),
  ...Object.entries(endings).map(([name, end]) =>
    rule(`keeps-a-session-away-that-was-${name}`, REVIVED, async (stores) => {
      const other = makeOther(stores)
      const { clock, drivers } = stores
      const options = { user: readUser, ...other.from(clock.now) }
      const [store, second] = [stores.open(options), stores.openOther(options)]
      assert.ok(await store.get(ID))
      await end(store)
      // A process with the other store saves what it had read before.
      other.rows.set(ID, { session: makeLasting(clock.now, 20 * DAY, data), expiresAt: clock.now + 20 * DAY })
      assert.equal(await second.get(ID), null)
      clock.now += HOUR
      await store.prune()
      assert.equal(await second.get(ID), null)
      const [tombstone] = await drivers[0].read([store.handle(ID)])
      assert.equal(tombstone?.data, null)
      assert.ok(tombstone.expiresAt >= options.legacy.until.getTime(), 'the tombstone goes too early')
    }),
  ),
  rule('keeps-a-session-away-that-was-destroyed-unread', REVIVED, async (stores) => {
    const other = makeOther(stores)
    const store = stores.open(other.from(stores.clock.now))
    await store.destroy(ID)
    assert.equal(other.rows.size, 0, 'the row of the other store is left')
    await assertFails('GONE', store.set(ID, makePlain(data)))
    other.rows.set(ID, { session: makePlain(data), expiresAt: undefined })
    assert.equal(await store.get(ID), null)
  }),
  rule('ends-a-session-here-before-there', REVIVED, async (stores) => {
    const other = makeOther(stores)
    const store = stores.open(other.from(stores.clock.now))
    other.isReadOnly = true
    await assertFails('READ_ONLY', store.destroy(ID), ID)
    assert.equal(await store.get(ID), null)
    assert.equal(await stores.openOther(other.from(stores.clock.now)).get(ID), null)
  }),
  rule(
    'copies-and-follows-the-original',
    'A logout in a process with the other store ends nothing here.',
    async (stores) => {
      const other = makeOther(stores)
      const { clock } = stores
      const options = other.from(clock.now, { keep: true })
      const [store, second] = [stores.open(options), stores.openOther(options)]
      assert.ok(await store.get(ID))
      assert.equal(other.rows.size, 1, 'the row of the other store is gone')
      assert.ok(await second.get(ID))
      assert.equal(await store.length(), 1)
      other.rows.delete(ID)
      assert.equal(await second.get(ID), null)
      assert.equal(await store.get(ID), null)
      // Where the row has merely expired, the copy lives as long as its requests make it.
      const visitor = 'another-visitor'
      other.rows.set(visitor, { session: makeLasting(clock.now, HOUR, data), expiresAt: clock.now + HOUR })
      const copied = await load(store, visitor)
      copied.cookie.expires = new Date(clock.now + 2 * HOUR)
      await store.touch(visitor, copied)
      clock.now += HOUR
      other.rows.delete(visitor)
      assert.ok(await second.get(visitor))
    },
  ),
  rule('opens-nothing-by-a-stored-key', 'Whoever has a dump signs in with what it holds.', async (stores) => {
    const other = makeOther(stores)
    const options = other.from(stores.clock.now, { keep: true })
    const [store, second] = [stores.open(options), stores.openOther(options)]
    await store.get(ID)
    const records = await stores.drivers[0].read((await readKeys(stores.drivers[0])).sort())
    assert.ok(records.length > 0)
    for (const text of records.flatMap(({ key, tag, data: stored }) => [key, tag, stored ?? ''])) {
      assert.equal(await store.get(text), null)
      assert.equal(await second.get(text), null)
    }
  }),
  rule('clears-both', 'Clearing the store signs out only a part of the users.', async (stores) => {
    const other = makeOther(stores)
    other.rows.set('moved', { session: makePlain(data), expiresAt: undefined })
    other.rows.set('foreign', null)
    const store = stores.open(other.from(stores.clock.now))
    await store.get('moved')
    await store.clear()
    assert.equal(await store.get(ID), null)
    assert.equal(await store.get('moved'), null)
    assert.deepEqual([...other.rows.keys()], ['foreign'])
  }),
]
