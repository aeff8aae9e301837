import assert from 'node:assert/strict'
import type { Session, SessionData } from 'express-session'
import fc, { type Scheduler } from 'fast-check'
import { describe, it } from 'vitest'
import { type Driver, memoryDriver, SessionStore } from '../src/index.ts'
import { plain } from './support/faulty.ts'

/** What holds of the option `freshness` in every order in which a database may work and answer. */

const ID = 'the-session-id'
const FRESHNESS = 60_000
const HOUR = 3_600_000

type Loaded = Session & SessionData & Record<string, unknown>

interface World {
  clock: { now: number }
  store: SessionStore
  other: SessionStore
  driver: Driver
}

/** Makes two processes on one database whose calls take effect, and are answered, one by one. */
function makeWorld(scheduler: Scheduler): World {
  const clock = { now: 1_700_000_000_000 }
  const driver = memoryDriver()
  async function call<T>(label: string, effect: () => T): Promise<Awaited<T>> {
    await scheduler.schedule(Promise.resolve(), `${label} arrives`)
    const result = await effect()
    await scheduler.schedule(Promise.resolve(), `${label} is answered`)
    return result
  }
  const scheduled: Driver = {
    ...driver,
    read: (keys) => call('read', () => driver.read(keys)),
    write: (writes, now) => call('write', () => driver.write(writes, now)),
    touch: (touches, now) => call('touch', () => driver.touch(touches, now)),
  }
  return { clock, ...openTwo(scheduled, clock), driver }
}

function openTwo(driver: Driver, clock: World['clock']): Pick<World, 'store' | 'other'> {
  const open = (name: string) =>
    // Two names, because stores of one process hear of the endings of each other.
    new SessionStore(
      { ...driver, name },
      { freshness: FRESHNESS, pruneInterval: false, now: () => clock.now, operationTimeout: 600_000 },
    )
  return { store: open('one'), other: open('other') }
}

async function load(store: SessionStore): Promise<Loaded | undefined> {
  const found = await store.get(ID)
  return found
    ? (store.createSession({ sessionID: ID, sessionStore: store } as never, found) as Loaded)
    : undefined
}

const roll = (session: SessionData, now: number, life: number): void => {
  session.cookie.originalMaxAge = life
  session.cookie.expires = new Date(now + life)
}

const step = fc.record({
  via: fc.constantFrom('store' as const, 'other' as const),
  does: fc.constantFrom('get', 'get', 'save', 'touch', 'shorten', 'wait', 'wait long'),
})

describe('lookups from memory', () => {
  it('show no state that was replaced by the same process, or elsewhere longer ago than freshness', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { minLength: 2, maxLength: 16 }),
        async (scheduler, steps) => {
          const world = makeWorld(scheduler)
          const { clock, driver } = world
          const began = { store: 0, other: 0 }
          // Which saves were acknowledged, when, and by whom. Each save adds its key.
          const saved: { key: string; at: number; via: string }[] = []
          const root = new SessionStore(driver, { pruneInterval: false, now: () => clock.now })
          await root.set(ID, plain({}, { originalMaxAge: HOUR, expires: new Date(clock.now + HOUR) }))
          const all = steps.map(async ({ via, does }, i) => {
            await scheduler.schedule(Promise.resolve(), `step ${i} begins`)
            began[via]++
            const store = world[via]
            if (does === 'wait') clock.now += FRESHNESS / 3
            else if (does === 'wait long') clock.now += FRESHNESS
            else if (does === 'get') {
              const mustHave = saved.filter((save) => save.via === via || save.at <= clock.now - FRESHNESS)
              const found = (await store.get(ID)) as Record<string, unknown> | null
              for (const { key } of mustHave) assert.ok(found && key in found, `${key} is missing`)
            } else {
              const loaded = await load(store)
              if (loaded === undefined) return
              if (does === 'save') {
                loaded[`key-${i}`] = i
                await store.set(ID, loaded)
                saved.push({ key: `key-${i}`, at: clock.now, via })
              } else {
                roll(loaded, clock.now, does === 'touch' ? HOUR : HOUR / 2)
                await store.touch(ID, loaded)
              }
            }
          })
          await scheduler.waitFor(Promise.all(all))
          // No update is lost.
          const { cookie, ...data } = (await root.get(ID))!
          assert.deepEqual(Object.keys(data).sort(), saved.map(({ key }) => key).sort())
        },
      ),
      { numRuns: 120 },
    )
  })

  it('show no session that this process has ended, and none elsewhere for longer than freshness', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(step, { minLength: 2, maxLength: 12 }),
        fc.constantFrom('store' as const, 'other' as const),
        async (scheduler, steps, via) => {
          const world = makeWorld(scheduler)
          const { clock, driver } = world
          const root = new SessionStore(driver, { pruneInterval: false, now: () => clock.now })
          await root.set(ID, plain({}, { originalMaxAge: HOUR, expires: new Date(clock.now + HOUR) }))
          let endedAt: number | undefined
          const end = async () => {
            await scheduler.schedule(Promise.resolve(), 'the end begins')
            await world[via].destroy(ID)
            endedAt = clock.now
          }
          const all = steps.map(async (one, i) => {
            await scheduler.schedule(Promise.resolve(), `step ${i} begins`)
            const { does } = one
            const mustBeGone = endedAt !== undefined && (one.via === via || endedAt <= clock.now - FRESHNESS)
            if (does === 'wait') clock.now += FRESHNESS / 3
            else if (does === 'wait long') clock.now += FRESHNESS
            else {
              const loaded = await load(world[one.via])
              if (mustBeGone) assert.equal(loaded, undefined, 'it is back')
              if (loaded === undefined) return
              if (does === 'save') await world[one.via].set(ID, Object.assign(loaded, { i }))
              else if (does !== 'get') {
                roll(loaded, clock.now, HOUR)
                await world[one.via].touch(ID, loaded)
              }
            }
          })
          await scheduler.waitFor(Promise.all([end(), ...all]))
          clock.now += FRESHNESS
          const gone = Promise.all([world.store.get(ID), world.other.get(ID)])
          assert.deepEqual(await scheduler.waitFor(gone), [null, null])
        },
      ),
      { numRuns: 120 },
    )
  })

  it('show no session past a deadline that a touch of this process has shortened', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 8 }),
        async (scheduler, lives) => {
          const { clock, store } = makeWorld(scheduler)
          const make = (life: number) =>
            plain({}, { originalMaxAge: life, expires: new Date(clock.now + life) })
          await scheduler.waitFor(store.set(ID, make(1000 * 50)))
          // Touches at the same time may take effect in any order, so the longest one counts.
          const touches = lives.map(async (life) => {
            await store.touch(ID, make(1000 * life))
            await store.get(ID)
          })
          await scheduler.waitFor(Promise.all(touches))
          clock.now += 1000 * Math.max(...lives) + 100
          assert.equal(await scheduler.waitFor(store.get(ID)), null)
        },
      ),
      { numRuns: 80 },
    )
  })

  it('answer at the end of the turn of the event loop, after what the turn has read', async () => {
    const { store } = await makeKnown()
    let isOver = false
    setImmediate(() => {
      isOver = true
    })
    assert.ok(await store.get(ID))
    assert.ok(isOver)
  })

  it('ask the database where the turn takes longer than freshness', async () => {
    const { clock, store, other } = await makeKnown()
    await other.destroy(ID)
    const found = store.get(ID)
    clock.now += FRESHNESS
    assert.equal(await found, null)
  })
})

/** Makes two processes, of which `store` knows a session. */
async function makeKnown(): Promise<Omit<World, 'driver'>> {
  const clock = { now: 1_700_000_000_000 }
  const { store, other } = openTwo(memoryDriver(), clock)
  await store.set(ID, plain({}, { originalMaxAge: HOUR, expires: new Date(clock.now + HOUR) }))
  assert.ok(await store.get(ID))
  return { clock, store, other }
}
