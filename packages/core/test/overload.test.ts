import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, it, vi } from 'vitest'
import type { SessionStore, Write } from '../src/index.ts'
import { eventually, fails, faulty, hangs, hastyOn, ID, memoryOf, plain, storeOn } from './support/faulty.ts'

/** What the store does when its driver does not answer, or keeps refusing. */

describe('a driver that hangs', () => {
  it('lets at most maxQueue calls wait', async () => {
    // The calls must still wait when all of them have been made, on a busy machine, too.
    const store = hastyOn(faulty({ read: hangs, write: hangs }), { maxQueue: 10, operationTimeout: 500 })
    const waiting = Array.from({ length: 10 }, (_, i) =>
      i % 2 ? store.get(`${i}`) : store.set(`${i}`, plain()),
    )
    await Promise.all(Array.from({ length: 100 }, (_, i) => fails('OVERLOADED', store.get(`more-${i}`))))
    for (const call of waiting) await fails('TIMEOUT', call)
    const next = store.get(ID)
    await fails('TIMEOUT', next)
  })

  it.each(['read', 'write', 'touch'] as const)(
    'is not sent a %s of which the caller was told that it failed',
    async (verb) => {
      const call = (store: SessionStore, id: string): Promise<unknown> =>
        ({
          read: () => store.get(id),
          write: () => store.set(id, plain()),
          touch: () => store.touch(id, plain()),
        })[verb]()
      const driver = faulty({ [verb]: hangs })
      const store = hastyOn(driver, { maxQueue: 1000 })
      const ids = new Map<string, string>()
      for (let round = 0; round < 10; round++) {
        const failing = Array.from({ length: 1000 }, (_, i) => {
          const id = `${round}-${i}`
          ids.set(store.handle(id), id)
          return fails('TIMEOUT', call(store, id))
        })
        await Promise.all(failing)
      }
      const sent: unknown[] = []
      driver.faults = {
        [verb]: (arrived: (string | Write)[]) => {
          sent.push(...arrived.map((one) => ids.get(typeof one === 'string' ? one : one.key) ?? 'a new one'))
          return verb === 'write' ? arrived.map((one) => (one as Write).key) : []
        },
      }
      await eventually(() => call(store, 'another'))
      assert.deepEqual(new Set(sent), new Set(['a new one']))
    },
  )

  it('does no harm when thousands of calls of one session fail', async () => {
    const driver = faulty({ write: hangs })
    const store = hastyOn(driver)
    const waiting = Array.from({ length: 9999 }, (_, i) =>
      i % 3 === 1 ? store.get(ID) : store.set(ID, plain()),
    )
    // A read may still be answered when the saves before it have timed out.
    const ended = await Promise.allSettled(waiting)
    for (const { status } of ended.filter((_, i) => i % 3 !== 1)) assert.equal(status, 'rejected')
    driver.faults = {}
    await eventually(() => store.set(ID, plain({ name: 'Ada' })))
    assert.deepEqual(await eventually(() => store.get(ID)), plain({ name: 'Ada' }))
  })

  it('delays close no longer than the waiting calls', async () => {
    const store = hastyOn(faulty({ read: hangs }))
    const call = store.get(ID)
    await store.close()
    await fails('TIMEOUT', call)
    await fails('CLOSED', store.get(ID))
  })

  it('gives each call its whole time', async () => {
    const store = hastyOn(faulty({ read: hangs }))
    const ends = async (id: string) => {
      const start = performance.now()
      await fails('TIMEOUT', store.get(id))
      return performance.now() - start
    }
    const first = ends('a')
    const start = performance.now()
    while (performance.now() < start + 10) await new Promise(setImmediate)
    const later = [ends('b'), ends('c')]
    // A timer may fire a millisecond early.
    for (const time of await Promise.all([first, ...later])) assert.ok(time >= 19, `${time} ms`)
  })

  it('does not let a touch delay reads and touches of its session', async () => {
    const driver = faulty()
    const store = storeOn(driver, { operationTimeout: 60_000 })
    await store.set(ID, plain({ name: 'Ada' }))
    let touches = 0
    driver.faults = {
      touch() {
        touches++
        return hangs()
      },
    }
    void store.touch(ID, plain()).catch(() => {})
    assert.deepEqual(await store.get(ID), plain({ name: 'Ada' }))
    await vi.waitFor(() => assert.equal(touches, 1))
    void store.touch(ID, plain()).catch(() => {})
    assert.deepEqual(await store.get(ID), plain({ name: 'Ada' }))
    await vi.waitFor(() => assert.equal(touches, 2))
  })

  it('does not delay the other verbs', async () => {
    const driver = faulty({ write: hangs })
    const store = storeOn(driver, { operationTimeout: 60_000 })
    for (let i = 0; i < 5; i++) void store.set(`${i}`, plain()).catch(() => {})
    assert.equal(await store.get(ID), null)
    await store.touch(ID, plain())
    // A call about the whole store waits for earlier writes, so another store makes it.
    assert.equal(await storeOn(driver).length(), 0)
  })
})

it('a save that other requests always overtake times out, and does not retry after that', async () => {
  const driver = faulty()
  const store = hastyOn(driver, { operationTimeout: 200 })
  await storeOn(driver).set(ID, plain())
  const found = (await eventually(() => store.get(ID)))!
  let tries = 0
  const refused = () => {
    tries++
    return []
  }
  driver.faults = { write: refused }
  await fails('TIMEOUT', store.set(ID, Object.assign(found, { mine: true })))
  assert.ok(tries > 1)
  driver.faults = {}
  // This save waits for the one before it, which has to time out first.
  await eventually(() => store.set(ID, plain({ name: 'Ada' })))
  assert.deepEqual(await storeOn(driver).get(ID), plain({ name: 'Ada' }))
})

it('revoking a user with very many sessions has a time limit for each step', async () => {
  const driver = faulty()
  const store = storeOn(driver, { operationTimeout: 500, user: () => 'ann' })
  for (let first = 0; first < 6000; first += 500)
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.set(`${first + i}`, plain())))
  // The database is slow: if all were sent at once, the last ones would wait for over a second.
  const { write } = memoryOf(driver)
  driver.faults = {
    write: async (writes, now) => {
      await pause(50)
      return write(writes, now)
    },
  }
  assert.equal(await store.revokeUser('ann'), 6000)
  assert.equal(await store.length(), 0)
})
