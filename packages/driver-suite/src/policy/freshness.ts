import assert from 'node:assert/strict'
import { type CallEvent, type Driver, events, type SessionStore } from '@session-stores/core'
import { HOUR, MINUTE } from '../common.ts'
import { assertFails, prefixRules, recordMessages, type StoreRule, settle } from './fixture.ts'
import { ID, load, makeLasting, makePlain, read, readDeadline, readUser, roll, save } from './sessions.ts'

/** Rules about the option `freshness`, with which a process answers lookups from memory. */

const rule = prefixRules('policy/freshness')

const STALE = 'A process answers with a session that it has changed or ended itself.'
const TOO_OLD = 'A session that ended, or was changed elsewhere, is shown for longer than the option says.'
const COSTLY = 'An option is there and does nothing.'

/** Counts the reads of the database during the work. */
async function countReads(work: () => Promise<unknown>): Promise<number> {
  return (await recordMessages<CallEvent>(events.call, work)).filter(({ verb }) => verb === 'read').length
}

/** Ends the session as another process does, of which this process hears nothing. */
async function endElsewhere(driver: Driver, key: string, now: number): Promise<void> {
  const times = { createdAt: now, expiresAt: now + HOUR }
  await driver.setup()
  await driver.write([{ key, data: null, tag: 'elsewhere', user: null, ...times }], now)
}

/** A driver that can hold back the answer to a read. */
class HeldReads {
  readonly driver: Driver
  #isHolding = false
  #release: (() => void) | undefined

  constructor(driver: Driver) {
    this.driver = Object.assign(Object.create(driver) as Driver, {
      read: async (keys: readonly string[]) => {
        const rows = await driver.read(keys)
        if (this.#isHolding)
          await new Promise<void>((resolve) => {
            this.#isHolding = false
            this.#release = resolve
          })
        return rows
      },
    })
  }

  /** Holds back the answer to the first read after `start`, and returns once it is held. */
  async hold<T>(start: () => Promise<T>): Promise<{ answer: Promise<T> }> {
    this.#isHolding = true
    const answer = start()
    while (this.#release === undefined) await settle()
    return { answer }
  }

  release(): void {
    this.#release?.()
    this.#release = undefined
  }
}

/** What a process does to its session, and what the next lookup must find. */
const changes: Record<string, readonly [(store: SessionStore, now: number) => Promise<unknown>, unknown]> = {
  'a-save': [(store, now) => store.set(ID, makeLasting(now, HOUR, { name: 'Grace' })), { name: 'Grace' }],
  'a-save-of-what-was-read': [
    async (store) => save(Object.assign(await load(store, ID), { name: 'Grace' })),
    { name: 'Grace', user: 'ann' },
  ],
  'an-update': [
    (store) => store.update(ID, (session) => Object.assign(session, { name: 'Grace' })),
    { name: 'Grace', user: 'ann' },
  ],
  'a-logout': [(store) => store.destroy(ID), null],
  'a-revocation': [(store) => store.revoke(store.handle(ID)), null],
  'a-revocation-of-its-user': [(store) => store.revokeUser('ann'), null],
  'a-clear': [(store) => store.clear(), null],
  'a-regenerate': [
    async (store) => {
      const session = await load(store, ID)
      Object.assign(store, { generate() {} })
      await new Promise((resolve) => store.regenerate({ sessionID: ID, session } as never, resolve))
    },
    null,
  ],
}

export const freshness: StoreRule[] = [
  rule('a-lookup-costs-no-trip', COSTLY, async ({ open, clock }) => {
    const store = open({ freshness: MINUTE })
    await store.set(ID, makeLasting(clock.now, HOUR, { name: 'Ada' }))
    clock.now += MINUTE
    const reads = await countReads(async () => {
      for (let i = 0; i < 10; i++) assert.deepEqual(await read(store, ID), { name: 'Ada' })
      assert.ok(await store.peek(store.handle(ID)))
    })
    assert.equal(reads, 1)
  }),
  rule('what-was-saved-costs-no-trip', COSTLY, async ({ open, clock }) => {
    const store = open({ freshness: MINUTE })
    await store.set(ID, makeLasting(clock.now, HOUR, { name: 'Ada' }))
    const reads = await countReads(async () => {
      const loaded = await load(store, ID)
      loaded.name = 'Grace'
      await save(loaded)
      assert.deepEqual(await read(store, ID), { name: 'Grace' })
    })
    assert.equal(reads, 0)
  }),
  rule('lookups-beside-a-read-share-it', 'Twenty calls of one page are 20 reads.', async (stores) => {
    const { open, openOn, drivers } = stores
    await open().set(ID, makePlain({ name: 'Ada' }))
    const reads = new HeldReads(drivers[0])
    const store = openOn(reads.driver, { freshness: MINUTE })
    const count = await countReads(async () => {
      const { answer } = await reads.hold(() => read(store, ID))
      const others = Array.from({ length: 19 }, () => read(store, ID))
      await settle()
      reads.release()
      for (const found of await Promise.all([answer, ...others])) assert.deepEqual(found, { name: 'Ada' })
    })
    assert.equal(count, 1)
  }),
  rule('each-lookup-has-its-own-object', 'One request changes the session of another.', async ({ open }) => {
    const store = open({ freshness: MINUTE })
    await store.set(ID, makePlain({ list: [1] }))
    const [one, other] = [(await store.get(ID)) as never, (await store.get(ID)) as never] as {
      list: number[]
    }[]
    one!.list.push(2)
    assert.deepEqual(other!.list, [1])
    assert.deepEqual(await read(store, ID), { list: [1] })
  }),
  ...Object.entries(changes).map(([name, [change, expected]]) =>
    rule(`${name}-counts-at-once`, STALE, async ({ open, clock }) => {
      const store = open({ freshness: MINUTE, user: readUser })
      await store.set(ID, makeLasting(clock.now, HOUR, { name: 'Ada', user: 'ann' }))
      assert.deepEqual(await read(store, ID), { name: 'Ada', user: 'ann' })
      await change(store, clock.now)
      assert.deepEqual(await read(store, ID), expected)
      assert.equal((await store.peek(store.handle(ID))) === null, expected === null)
    }),
  ),
  rule('a-touch-counts-at-once', STALE, async ({ open, clock }) => {
    const store = open({ freshness: MINUTE })
    await store.set(ID, makeLasting(clock.now, HOUR))
    const loaded = await load(store, ID)
    clock.now += MINUTE / 2
    roll(loaded, clock.now)
    await store.touch(ID, loaded)
    const reads = await countReads(async () => {
      assert.ok((await readDeadline(store, ID)) >= clock.now + HOUR)
    })
    assert.equal(reads, 0)
  }),
  rule('a-touch-after-it-costs-nothing', COSTLY, async ({ open, clock }) => {
    const store = open({ freshness: MINUTE, touchAfter: HOUR })
    await store.set(ID, makeLasting(clock.now, 24 * HOUR))
    const calls = await recordMessages(events.call, async () => {
      for (let i = 0; i < 10; i++) {
        const loaded = await load(store, ID)
        clock.now += 1000
        roll(loaded, clock.now)
        await store.touch(ID, loaded)
      }
    })
    assert.equal(calls.length, 0)
  }),
  rule('an-end-elsewhere-counts-within-it', TOO_OLD, async ({ open, drivers, clock }) => {
    const store = open({ freshness: MINUTE })
    await store.set(ID, makeLasting(clock.now, HOUR))
    assert.ok(await store.get(ID))
    clock.now += MINUTE - 1
    await endElsewhere(drivers[1], store.handle(ID), clock.now)
    clock.now += 1
    assert.equal(await store.get(ID), null)
    assert.equal(await store.peek(store.handle(ID)), null)
  }),
  rule('a-save-elsewhere-counts-within-it', TOO_OLD, async ({ open, openOther, clock }) => {
    const [store, other] = [open({ freshness: MINUTE }), openOther()]
    await store.set(ID, makePlain({ name: 'Ada' }))
    await other.set(ID, makePlain({ name: 'Grace' }))
    clock.now += MINUTE
    assert.deepEqual(await read(store, ID), { name: 'Grace' })
  }),
  rule('it-begins-when-the-database-is-asked', TOO_OLD, async ({ open, openOn, drivers, clock }) => {
    await open().set(ID, makePlain())
    const reads = new HeldReads(drivers[0])
    const store = openOn(reads.driver, { freshness: MINUTE })
    const { answer } = await reads.hold(() => store.get(ID))
    clock.now += MINUTE
    await endElsewhere(drivers[1], store.handle(ID), clock.now)
    reads.release()
    await answer
    assert.equal(await store.get(ID), null)
  }),
  rule('a-late-answer-is-not-remembered', STALE, async ({ open, openOn, drivers }) => {
    await open().set(ID, makePlain())
    const reads = new HeldReads(drivers[0])
    const store = openOn(reads.driver, { freshness: MINUTE })
    const { answer } = await reads.hold(() => store.peek(store.handle(ID)))
    await store.destroy(ID)
    reads.release()
    assert.ok(await answer)
    assert.equal(await store.get(ID), null)
  }),
  rule('a-lookup-can-ask-the-database', TOO_OLD, async ({ open, drivers, clock }) => {
    const store = open({ freshness: MINUTE })
    await store.set(ID, makePlain())
    await endElsewhere(drivers[1], store.handle(ID), clock.now)
    assert.equal(await store.peek(store.handle(ID), { freshness: 0 }), null)
  }),
  rule('deadlines-are-exact', 'A session lives longer than it may.', async ({ open, clock }) => {
    const store = open({ freshness: 10 * MINUTE, absoluteTimeout: 5 * MINUTE })
    await store.set('idle', makeLasting(clock.now, MINUTE))
    await store.set('absolute', makeLasting(clock.now, HOUR))
    clock.now += MINUTE - 1
    assert.ok((await store.get('idle')) && (await store.get('absolute')))
    clock.now += 1
    assert.equal(await store.get('idle'), null)
    clock.now += 4 * MINUTE - 1
    assert.ok(await store.get('absolute'))
    clock.now += 1
    assert.equal(await store.get('absolute'), null)
  }),
  rule('an-extension-elsewhere-counts', 'Whoever works without pause is logged out.', async (stores) => {
    const { open, openOther, clock } = stores
    const [store, other] = [open({ freshness: 10 * MINUTE }), openOther()]
    await store.set(ID, makeLasting(clock.now, MINUTE))
    const loaded = await load(other, ID)
    roll(loaded, clock.now + MINUTE / 2)
    await other.touch(ID, loaded)
    clock.now += MINUTE
    assert.ok(await store.get(ID))
  }),
  rule('stale-knowledge-loses-no-update', 'What another request saved is lost.', async (stores) => {
    const { open, openOther, clock } = stores
    const [store, other] = [open({ freshness: MINUTE }), openOther({ freshness: MINUTE })]
    await store.set(ID, makePlain({ old: 1 }))
    const expected: Record<string, number> = { old: 1 }
    for (let i = 0; i < 20; i++) {
      const one = await load(i % 2 ? store : other, ID)
      one[`key-${i}`] = i
      expected[`key-${i}`] = i
      await save(one)
    }
    clock.now += MINUTE
    assert.deepEqual(await read(store, ID), expected)
  }),
  rule(
    'a-save-of-stale-knowledge-revives-nothing',
    'A logout is undone.',
    async ({ open, drivers, clock }) => {
      const store = open({ freshness: MINUTE, onGone: 'error' })
      await store.set(ID, makePlain())
      await endElsewhere(drivers[1], store.handle(ID), clock.now)
      const loaded = await load(store, ID)
      loaded.name = 'Grace'
      await assertFails('GONE', store.set(ID, loaded))
      assert.equal(await store.get(ID), null)
    },
  ),
  rule('the-database-may-be-away', 'What the documentation says of outages is wrong.', async (stores) => {
    const { openOn, drivers, clock } = stores
    let isDown = false
    const read = (keys: readonly string[]) => {
      if (isDown) throw new Error('away')
      return drivers[0].read(keys)
    }
    const driver = Object.assign(Object.create(drivers[0]) as Driver, { read })
    const store = openOn(driver, { freshness: MINUTE })
    await store.set(ID, makePlain())
    isDown = true
    assert.ok(await store.get(ID))
    clock.now += MINUTE
    await assert.rejects(store.get(ID))
  }),
  rule('memory-is-bounded', 'A process runs out of memory.', async ({ open }) => {
    const store = open({ freshness: MINUTE, cacheBytes: 20_000 })
    for (let i = 0; i < 100; i++) await store.set(`${i}`, makePlain({ note: 'x'.repeat(1000) }))
    const reads = await countReads(async () => {
      for (let i = 99; i >= 0; i--) assert.ok(await store.get(`${i}`))
    })
    // The newest ones are still known.
    assert.ok(reads >= 80 && reads < 100, `${reads} reads`)
  }),
]
