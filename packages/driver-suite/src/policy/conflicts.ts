import assert from 'node:assert/strict'
import { events, type SessionEvent, type SessionStore, type StoreOptions } from '@session-stores/core'
import { HOUR } from '../common.ts'
import { prefixRules, recordMessages, type StoreRule, type Stores } from './fixture.ts'
import { ID, load, makeFresh, makePlain, omitCookie, type RequestSession, read, save } from './sessions.ts'

/** Rules about two requests that read one session, change it and save it. */

const rule = prefixRules('policy/conflicts')

type Change = (session: Record<string, unknown>, key: string, side: string) => void

const changes: Record<string, Change> = {
  keeps: () => {},
  changes(session, key, side) {
    session[key] = side
  },
  removes(session, key) {
    delete session[key]
  },
}

interface Cell {
  key: string
  mine: string
  theirs: string
  expected: unknown
}

/** One key for each pair of changes that the two sides can make, with its value after the merge. */
const matrix: Cell[] = [true, false].flatMap((wasThere) =>
  Object.keys(changes).flatMap((mine) =>
    Object.keys(changes).map((theirs): Cell => {
      const key = `${wasThere ? 'old' : 'new'}: mine ${mine}, theirs ${theirs}`
      const after = (change: string, side: string) =>
        change === 'changes' ? side : change === 'removes' ? undefined : wasThere ? 'before' : undefined
      // The removal of a key that never existed is no change.
      const mineCounts = mine === 'changes' || (mine === 'removes' && wasThere)
      return { key, mine, theirs, expected: mineCounts ? after(mine, 'mine') : after(theirs, 'theirs') }
    }),
  ),
)

/** Saves a session and loads it in both processes. `reader` is the store of the second process. */
export async function loadBoth(
  { open, openOther }: Stores,
  data: object,
  options: Parameters<Stores['open']>[0] = {},
  cookie: object = {},
): Promise<[mine: RequestSession, theirs: RequestSession, reader: SessionStore]> {
  const [store, second] = [open(options), openOther(options)]
  await store.set(ID, makePlain(data, cookie))
  return [await load(store, ID), await load(second, ID), second]
}

const LOST = 'What one request saved is lost to another.'

export const conflicts: StoreRule[] = [
  rule('saves-are-merged-by-key', LOST, async (stores) => {
    const before = Object.fromEntries(
      matrix.filter(({ key }) => key.startsWith('old')).map(({ key }) => [key, 'before']),
    )
    const [mine, theirs, reader] = await loadBoth(stores, before)
    for (const cell of matrix) {
      changes[cell.mine]!(mine, cell.key, 'mine')
      changes[cell.theirs]!(theirs, cell.key, 'theirs')
    }
    await save(theirs)
    await save(mine)
    const expected = matrix.filter(({ expected }) => expected !== undefined)
    assert.deepEqual(
      await read(reader, ID),
      Object.fromEntries(expected.map(({ key, expected }) => [key, expected])),
    )
  }),
  rule('saves-in-one-process-are-merged-too', LOST, async ({ open }) => {
    const store = open()
    await store.set(ID, makePlain())
    const [mine, theirs] = await Promise.all([load(store, ID), load(store, ID)])
    mine.mine = 1
    theirs.theirs = 2
    await Promise.all([save(mine), save(theirs)])
    assert.deepEqual(await read(store, ID), { mine: 1, theirs: 2 })
  }),
  rule('a-key-comes-whole-from-one-side', 'A merge mixes what nobody ever saved.', async (stores) => {
    const [mine, theirs, reader] = await loadBoth(stores, { cart: { apples: 1, pears: 1 } })
    mine.cart = { apples: 2, pears: 1 }
    theirs.cart = { apples: 1, pears: 2 }
    await save(theirs)
    await save(mine)
    assert.deepEqual(await read(reader, ID), { cart: { apples: 2, pears: 1 } })
  }),
  rule('a-value-that-only-looks-new-is-no-change', LOST, async (stores) => {
    const [mine, theirs, reader] = await loadBoth(stores, {
      cart: { apples: 1, list: [1, { a: 1 }] },
      when: '2020',
    })
    mine.cart = { list: [1, { a: 1 }], apples: 1 }
    mine.other = 1
    theirs.cart = 'theirs'
    await save(theirs)
    await save(mine)
    assert.deepEqual(await read(reader, ID), { cart: 'theirs', when: '2020', other: 1 })
  }),
  ...[false, true].map((isRandom) =>
    rule(
      `a-change-that-only-the-serializer-sees-is-kept${isRandom ? '-where-it-never-writes-the-same-twice' : ''}`,
      LOST,
      async (stores) => {
        class Money {
          #cents: number
          constructor(cents: number) {
            this.#cents = cents
          }
          toJSON() {
            return { $money: this.#cents }
          }
        }
        let salt = 0
        const serializer: NonNullable<StoreOptions['serializer']> = {
          stringify: (session) => JSON.stringify({ ...session, ...(isRandom && { salt: ++salt }) }),
          parse: (text) => {
            const { salt: _, ...session } = JSON.parse(text, (_key, value) =>
              typeof value?.$money === 'number' ? new Money(value.$money) : value,
            )
            return session
          },
        }
        const [mine, theirs] = await loadBoth(stores, { price: new Money(1), name: 'Ada' }, { serializer })
        mine.price = isRandom ? 'nothing' : new Money(2)
        theirs.name = 'Grace'
        await save(theirs)
        await save(mine)
        const found = await stores.openOther().get(ID)
        const price = isRandom ? 'nothing' : { $money: 2 }
        assert.deepEqual(omitCookie(found), { name: 'Grace', price, ...(isRandom && { salt }) })
      },
    ),
  ),
  rule(
    'the-key-__proto__-is-merged-as-a-key',
    'A key of a session changes what every object is.',
    async ({ open, openOther, drivers, clock }) => {
      const store = open()
      await store.set(ID, makePlain({ name: 'Ada' }))
      const [mine, theirs] = [await load(store, ID), await openOther().get(ID)]
      Object.defineProperty(theirs, '__proto__', { value: { isAdmin: true }, enumerable: true })
      await openOther().set(ID, theirs!)
      mine.mine = 1
      await save(mine)
      const [row] = await drivers[0].read([store.handle(ID)])
      assert.ok(row && row.expiresAt > clock.now)
      const merged = JSON.parse(row.data!)
      assert.deepEqual(Object.keys(merged).sort(), ['__proto__', 'cookie', 'mine', 'name'])
      assert.equal(merged.isAdmin, undefined)
    },
  ),
  rule(
    'a-merged-session-merges-again',
    'The second save of a request undoes what the first one merged.',
    async (stores) => {
      const [mine, theirs, reader] = await loadBoth(stores, { gone: 1 })
      theirs.theirs = 1
      delete theirs.gone
      await save(theirs)
      mine.mine = 1
      await save(mine)
      mine.again = 1
      await save(mine)
      assert.deepEqual(await read(reader, ID), { theirs: 1, mine: 1, again: 1 })
      delete mine.mine
      theirs.theirs = 2
      await save(theirs)
      await save(mine)
      assert.deepEqual(await read(reader, ID), { theirs: 2, again: 1 })
      await save(theirs)
      assert.deepEqual(await read(reader, ID), { theirs: 2, again: 1 })
    },
  ),
  rule(
    'an-unchanged-save-undoes-nothing',
    'With resave, every request undoes what others saved meanwhile.',
    async (stores) => {
      const [mine, theirs, reader] = await loadBoth(stores, { name: 'Ada' })
      theirs.name = 'Grace'
      await save(theirs)
      await save(mine)
      await save(mine)
      assert.deepEqual(await read(reader, ID), { name: 'Grace' })
    },
  ),
  rule('a-hundred-requests-lose-nothing', LOST, async ({ open, openOther }) => {
    const stores = [open(), openOther()]
    await stores[0]!.set(ID, makePlain())
    const loaded = await Promise.all(Array.from({ length: 100 }, (_, i) => load(stores[i % 2]!, ID)))
    await Promise.all(
      loaded.map((session, i) => {
        session[`key-${i}`] = i
        return save(session)
      }),
    )
    assert.deepEqual(await read(stores[0]!, ID), Object.fromEntries(loaded.map((_, i) => [`key-${i}`, i])))
  }),
  rule(
    'a-hundred-first-saves-lose-nothing',
    'Requests that begin a session together fail, or undo each other.',
    async ({ open, openOther }) => {
      const stores = [open(), openOther()]
      const sessions = Array.from({ length: 100 }, (_, i) =>
        makeFresh(stores[i % 2]!, ID, { [`key-${i}`]: i }),
      )
      await Promise.all(sessions.map(save))
      assert.deepEqual(
        await read(stores[0]!, ID),
        Object.fromEntries(sessions.map((_, i) => [`key-${i}`, i])),
      )
      assert.equal(await stores[0]!.length(), 1)
    },
  ),
  rule('a-key-that-both-change-is-one-of-the-two', 'A session holds what nobody saved.', async (stores) => {
    for (let i = 0; i < 20; i++) {
      const [mine, theirs, reader] = await loadBoth(stores, { name: 'Ada' })
      mine.name = 'mine'
      theirs.name = 'theirs'
      await Promise.all(i % 2 ? [save(mine), save(theirs)] : [save(theirs), save(mine)])
      const found = await read(reader, ID)
      assert.ok(found && ['mine', 'theirs'].includes(found.name as string))
    }
  }),
  rule('a-save-and-a-touch-are-no-conflict', 'Every second request is a conflict.', async (stores) => {
    const { clock } = stores
    const [mine, theirs, reader] = await loadBoth(stores, {}, { onConflict: 'error' })
    await reader.touch(ID, theirs)
    await reader.touch(ID, makePlain({}, { expires: new Date(clock.now + HOUR) }))
    mine.mine = 1
    await save(mine)
    assert.deepEqual(await read(reader, ID), { mine: 1 })
  }),
  rule('are-published', 'Nobody can tell how often requests get in each other’s way.', async (stores) => {
    const [mine, theirs] = await loadBoth(stores, {})
    const heard = await recordMessages<SessionEvent>(events.conflict, async () => {
      await save(theirs)
      mine.mine = 1
      await save(mine)
    })
    const [driver] = stores.drivers
    assert.deepEqual(heard, [{ driver: driver.name, handle: stores.open().handle(ID) }])
  }),
]
