import assert from 'node:assert/strict'
import session, { type Session, type SessionData } from 'express-session'
import fc, { type Scheduler } from 'fast-check'
import { describe, it } from 'vitest'
import { type Driver, memoryDriver, SessionStore, type StoreOptions } from '../src/index.ts'

/** What holds in every order in which a database may do its work and answer. */

const ID = 'the-session-id'
const HOUR = 3_600_000
const NOW = 1_700_000_000_000

/**
 * Makes a driver whose calls take effect, and are answered, one by one when the scheduler says so.
 */
function scheduled(driver: Driver, scheduler: Scheduler, failures: Iterator<Failure> = [].values()): Driver {
  async function call<T>(label: string, effect: () => T): Promise<Awaited<T>> {
    const failure = failures.next().value
    await scheduler.schedule(Promise.resolve(), `${label} arrives`)
    if (failure === 'before') throw new Error('it never arrived')
    const result = await effect()
    await scheduler.schedule(Promise.resolve(), `${label} is answered`)
    if (failure === 'after') throw new Error('the answer got lost')
    return result
  }
  return {
    ...driver,
    read: (keys) => call('read', () => driver.read(keys)),
    write: (writes, now) => call('write', () => driver.write(writes, now)),
    touch: (touches, now) => call('touch', () => driver.touch(touches, now)),
  }
}
type Failure = 'before' | 'after' | undefined

const storeOn = (driver: Driver, options: StoreOptions = {}): SessionStore =>
  new SessionStore(driver, { pruneInterval: false, now: () => NOW, ...options })

const plain = (data: object, cookie: object = {}): SessionData =>
  ({
    cookie: { path: '/', httpOnly: true, expires: null, originalMaxAge: null, ...cookie },
    ...data,
  }) as SessionData

type Loaded = Session & SessionData & Record<string, unknown>

async function load(store: SessionStore, id = ID): Promise<Loaded | undefined> {
  const found = await store.get(id)
  return found
    ? (store.createSession({ sessionID: id, sessionStore: store } as never, found) as Loaded)
    : undefined
}

const turnOf = (found: SessionData | null): number | null =>
  found === null ? null : (found as unknown as { turn: number }).turn

describe('calls of one session in one store', () => {
  const call = fc.constantFrom('set', 'destroy', 'get', 'touch')

  it('take effect in the order in which they were called', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(call, { minLength: 1, maxLength: 20 }),
        async (scheduler, calls) => {
          const driver = memoryDriver()
          const store = storeOn(scheduled(driver, scheduler), { tombstoneTimeout: 0 })
          // The session after each write. A `get` must see every write that was called before it.
          const states: (number | null)[] = [null]
          const answered: number[] = []
          const all = calls.map(async (call, turn) => {
            const before = states.length - 1
            if (call === 'get') return { before, turn: turnOf(await store.get(ID)) }
            if (call === 'touch') return void (await store.touch(ID, plain({})))
            const write = states.push(call === 'set' ? turn : null)
            await (call === 'set' ? store.set(ID, plain({ turn })) : store.destroy(ID))
            answered.push(write)
          })
          const gets = await scheduler.waitFor(Promise.all(all))
          for (const get of gets)
            if (get) assert.ok(states.slice(get.before).includes(get.turn), 'a get sees a session of before')
          assert.deepEqual(
            answered,
            answered.toSorted((a, b) => a - b),
            'writes are answered in their order',
          )
          assert.equal(turnOf(await storeOn(driver).get(ID)), states.at(-1))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('end with the deadline of the last set, or of a touch after it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        async (scheduler, calls) => {
          const driver = memoryDriver()
          const store = storeOn(scheduled(driver, scheduler))
          let possible: number[] = []
          const all = [true, ...calls].map((isSet, i, { length }) => {
            const at = NOW + HOUR * (length - i)
            const made = plain({}, { expires: new Date(at) })
            possible = isSet ? [at] : [...possible, at]
            return isSet ? store.set(ID, made) : store.touch(ID, made)
          })
          // Touches may overtake each other, but no touch may overtake a `set`.
          if (possible.length > 1) possible.shift()
          await scheduler.waitFor(Promise.all(all))
          const found = await storeOn(driver).get(ID)
          assert.ok(possible.includes((found!.cookie.expires as Date).getTime()))
        },
      ),
      { numRuns: 200 },
    )
  })
})

/** What one request does: which store it uses, and how many saves it makes. */
const request = fc.record({
  via: fc.constantFrom(0, 1),
  does: fc.constantFrom('save', 'save twice', 'touch', 'extend', 'plain', 'look'),
})

describe('requests in two processes', () => {
  it('lose no change that any of them saved', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(request, { minLength: 2, maxLength: 8 }),
        async (scheduler, requests) => {
          const driver = memoryDriver()
          const stores = [1, 2].map(() => storeOn(scheduled(driver, scheduler)))
          await storeOn(driver).set(ID, plain({ kept: true, dropped: true }))
          const expected: Record<string, unknown> = { kept: true }
          const all = requests.map(async ({ via, does }, i) => {
            const store = stores[via]!
            await scheduler.schedule(Promise.resolve(), `request ${i} begins`)
            const loaded = (await load(store))!
            if (does === 'touch' || does === 'look' || does === 'plain') return store.touch(ID, loaded)
            if (does === 'extend') {
              loaded.cookie.originalMaxAge = HOUR
              return store.touch(ID, loaded)
            }
            for (const part of does === 'save' ? ['a'] : ['a', 'b']) {
              expected[`${i}${part}`] = i
              loaded[`${i}${part}`] = i
              delete loaded.dropped
              await store.set(ID, loaded)
            }
          })
          const isDropped = requests.some(({ does }) => does.startsWith('save'))
          if (!isDropped) expected.dropped = true
          await scheduler.waitFor(Promise.all(all))
          const { cookie, ...data } = (await storeOn(driver).get(ID))!
          assert.deepEqual(data, expected)
          if (requests.some(({ does }) => does === 'extend')) assert.equal(cookie.originalMaxAge, HOUR)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('never find a session after its destruction was acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(request, { minLength: 2, maxLength: 8 }),
        fc.constantFrom('destroy', 'revoke', 'regenerate'),
        async (scheduler, requests, end) => {
          const driver = memoryDriver()
          const stores = [1, 2].map(() => storeOn(scheduled(driver, scheduler)))
          const [first] = stores as [SessionStore]
          const created = new (session.Session as unknown as new (req: object) => Loaded)({
            sessionID: ID,
            sessionStore: first,
          })
          Object.assign(created, plain({ user: 'ann' }))
          await scheduler.waitFor(first.set(ID, created))
          let isOver = false
          const ending = async () => {
            await scheduler.schedule(Promise.resolve(), 'the end begins')
            if (end === 'destroy') await first.destroy(ID)
            else if (end === 'revoke') await first.revoke(first.handle(ID))
            else {
              Object.assign(first, { generate() {} })
              await new Promise((resolve) => first.regenerate({ sessionID: ID } as never, resolve))
            }
            isOver = true
          }
          const all = requests.map(async ({ via, does }, i) => {
            const store = stores[via]!
            await scheduler.schedule(Promise.resolve(), `request ${i} begins`)
            const mustBeGone = isOver
            const loaded = await load(store)
            if (mustBeGone) assert.equal(loaded, undefined, 'it is back')
            await scheduler.schedule(Promise.resolve(), `request ${i} ends`)
            if (does === 'plain')
              await store.set(ID, plain({ i })).catch((error) => assert.equal(error.code, 'GONE'))
            else if (loaded === undefined || does === 'look') return
            else if (does === 'touch') await store.touch(ID, loaded)
            else if (does === 'extend') {
              loaded.cookie.originalMaxAge = HOUR
              await store.touch(ID, loaded)
            } else
              for (let turn = does === 'save' ? 1 : 0; turn < 2; turn++) {
                loaded[`${i}${turn}`] = i
                await store.set(ID, loaded)
              }
            // The object of the first save takes part, too.
            await first.set(ID, created)
          })
          await scheduler.waitFor(Promise.all([ending(), ...all]))
          assert.equal(await storeOn(driver).get(ID), null)
          assert.equal(await storeOn(driver).length(), 0)
        },
      ),
      { numRuns: 300 },
    )
  })
})

it('every callback is called exactly once, whatever fails', async () => {
  const call = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    does: fc.constantFrom('get', 'set', 'touch', 'destroy', 'load and save'),
  })
  const failure = fc.constantFrom<Failure>('before', 'after', undefined)
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(call, { minLength: 1, maxLength: 20 }),
      fc.array(failure, { maxLength: 20 }),
      async (scheduler, calls, failures) => {
        const driver = memoryDriver()
        const store = storeOn(scheduled(driver, scheduler, failures.values()))
        const answers = new Map<number, number>()
        let made = 0
        const count = (start: (callback: (error: unknown, value?: unknown) => void) => void) =>
          new Promise((resolve) => {
            const number = ++made
            start((_error, value) => {
              answers.set(number, (answers.get(number) ?? 0) + 1)
              resolve(value)
            })
          })
        const all = calls.map(async ({ id, does }, i) => {
          if (does === 'get') await count((callback) => store.get(id, callback))
          else if (does === 'set') await count((callback) => store.set(id, plain({ i }), callback))
          else if (does === 'touch') await count((callback) => store.touch(id, plain({}), callback))
          else if (does === 'destroy') await count((callback) => store.destroy(id, callback))
          else {
            const found = (await count((callback) => store.get(id, callback))) as SessionData | undefined
            if (!found) return
            Object.assign(found, { [`key-${i}`]: i })
            await count((callback) => store.set(id, found, callback))
          }
        })
        await scheduler.waitFor(Promise.all(all))
        await scheduler.waitIdle()
        assert.deepEqual([...answers.values()], Array(made).fill(1))
        // No key is left locked.
        await scheduler.waitFor(Promise.all(['a', 'b', 'c'].map((id) => store.destroy(id).catch(() => {}))))
        await scheduler.waitFor(Promise.all(['d', 'e'].map((id) => store.set(id, plain({})).catch(() => {}))))
        const left = storeOn(driver)
        assert.equal(await left.length(), (await left.ids()).length)
      },
    ),
    { numRuns: 200 },
  )
})

describe('a logout that finds no session', () => {
  it('is a logout of the session that another process creates before the tombstone lands', async () => {
    const driver = memoryDriver()
    const [one, other] = [storeOn(driver), storeOn(driver)]
    let isCreated = false
    const slow = storeOn({
      ...driver,
      async read(keys) {
        const rows = await driver.read(keys)
        if (!isCreated) {
          isCreated = true
          await other.set(ID, plain({ turn: 1 }))
        }
        return rows
      },
    })
    await slow.destroy(ID)
    assert.equal(await one.get(ID), null)
    await assert.rejects(one.set(ID, plain({ turn: 2 })), { code: 'GONE' })
    assert.equal(await one.get(ID), null)
  })
})
