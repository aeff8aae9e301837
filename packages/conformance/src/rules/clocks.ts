import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Rule } from '../engine/rule.ts'
import { HOUR, holds, ID, ids, inTime } from './shared.ts'

/** Clocks that differ, and clocks that the tests of an application replace. */

/** Runs `call` while the global timers never fire, and puts them back before anything else of this process runs. */
function underFakeTimers(call: () => void): void {
  const { setTimeout, setInterval, setImmediate } = globalThis
  const never = (): NodeJS.Timeout => setTimeout(() => {}, HOUR).unref()
  Object.assign(globalThis, { setTimeout: never, setInterval: never, setImmediate: never })
  try {
    call()
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval, setImmediate })
  }
}

/** How far the clock is ahead for what is called within, in milliseconds. */
const ahead = new AsyncLocalStorage<number>()
const RealDate = globalThis.Date
const now = (): number => RealDate.now() + (ahead.getStore() ?? 0)
const FakeDate = new Proxy(RealDate, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, args) => Reflect.construct(target, args.length > 0 ? args : [now()]),
})
/** How many calls with a clock of their own are under way. */
let open = 0

/** Runs `call` while `Date` tells it, and what it calls, a time that is ahead; other rules go on by the real one. */
async function withClockAhead<T>(milliseconds: number, call: () => Promise<T>): Promise<T> {
  open++
  globalThis.Date = FakeDate
  try {
    return await ahead.run(milliseconds, call)
  } finally {
    if (--open === 0) globalThis.Date = RealDate
  }
}

const HALF_AN_HOUR = HOUR / 2

/** A session is there, and is gone in time, by the clock of the application. */
const lives = inTime(async ({ store, session, now, pass }, unit, before) => {
  const end = now() + 2 * unit
  await store.set(ID, session({ name: 'Ada' }, 2 * unit))
  const found = await store.data(ID)
  before(end)
  holds(found, { name: 'Ada' })
  await pass(4 * unit)
  assert.equal(await store.data(ID), undefined)
})

export const clocks: readonly Rule[] = [
  {
    id: 'clocks/fake-timers-leave-a-store-that-works',
    title: 'after calls under fake timers, and with real ones back, the store answers',
    level: 'should',
    why: 'One test of an application that fakes the timers makes every later test hang that reads a session.',
    source: 'https://vitest.dev/api/vi.html#vi-usefaketimers',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      // A store that does many calls together waits for others only where there were some.
      const many = () => ids(20).map((id) => store.get(id).catch(() => {}))
      await Promise.all(many())
      underFakeTimers(many)
      holds(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'clocks/a-fake-clock-is-followed',
    title:
      'a session ends by the clock that is there when it is read, and not by one that was kept from the start',
    level: 'info',
    why: 'The tests of an application that set the time forward find sessions that have ended.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }, HOUR))
      assert.equal(await withClockAhead(2 * HOUR, () => store.data(ID)), undefined)
    },
  },
  {
    id: 'clocks/ahead-of-the-database',
    title: 'where the clock of the application is ahead of that of the database, sessions end by the first',
    level: 'should',
    why: 'A session that has ended opens for as long as the clocks differ.',
    source: 'voxpelli/node-connect-pg-simple#25',
    options: { skew: HALF_AN_HOUR },
    needs: ['skew'],
    check: lives,
  },
  {
    id: 'clocks/behind-the-database',
    title: 'where the clock of the application is behind that of the database, sessions end by the first',
    level: 'should',
    why: 'Everybody is logged out at once: to the database each session has ended before it begins.',
    source: 'voxpelli/node-connect-pg-simple#25',
    options: { skew: -HALF_AN_HOUR },
    needs: ['skew'],
    check: lives,
  },
]
