import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Rule } from '../engine/rule.ts'
import { expectData, HOUR, ID, makeIds, retryIfLate } from './shared.ts'

/**
 * Runs `call` while the global timers never fire. The function is synchronous, so the timers are
 * back before any other code of this process runs.
 */
function withFakeTimers(call: () => void): void {
  const { setTimeout, setInterval, setImmediate } = globalThis
  const never = (): NodeJS.Timeout => setTimeout(() => {}, HOUR).unref()
  Object.assign(globalThis, { setTimeout: never, setInterval: never, setImmediate: never })
  try {
    call()
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval, setImmediate })
  }
}

/** Milliseconds that the clock is ahead for the running code. */
const ahead = new AsyncLocalStorage<number>()
const RealDate = globalThis.Date
const now = (): number => RealDate.now() + (ahead.getStore() ?? 0)
const FakeDate = new Proxy(RealDate, {
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  construct: (target, args) => Reflect.construct(target, args.length > 0 ? args : [now()]),
})
/** How many calls of `withClockAhead` are running. */
let open = 0

/** Runs `call` with a clock that is ahead, in milliseconds. Other rules keep the real clock. */
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

/** Checks that a session lives and ends by the clock of the application. */
const checkLife = retryIfLate(async ({ store, session, now, pass }, unit, assertBefore) => {
  const end = now() + 2 * unit
  await store.set(ID, session({ name: 'Ada' }, 2 * unit))
  const found = await store.data(ID)
  assertBefore(end)
  expectData(found, { name: 'Ada' })
  await pass(4 * unit)
  assert.equal(await store.data(ID), undefined)
})

/** Rules about clocks that differ, and clocks that the tests of an application replace. */
export const clocks: readonly Rule[] = [
  {
    id: 'clocks/fake-timers-leave-a-store-that-works',
    title: 'after calls under fake timers, and with real ones back, the store answers',
    level: 'should',
    why: 'One test of an application that fakes the timers makes every later test hang that reads a session.',
    source: 'https://vitest.dev/api/vi.html#vi-usefaketimers',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }))
      // A store that batches calls may do so only after it has seen many calls at once.
      const readMany = () => makeIds(20).map((id) => store.get(id).catch(() => {}))
      await Promise.all(readMany())
      withFakeTimers(readMany)
      expectData(await store.data(ID), { name: 'Ada' })
    },
  },
  {
    id: 'clocks/a-fake-clock-is-followed',
    title:
      'whether a session has ended depends on `Date` at the time of the read, not on a copy from the start',
    level: 'info',
    why: 'The tests of an application that set the time forward find sessions that have ended.',
    async check({ store, session }) {
      await store.set(ID, session({ name: 'Ada' }, HOUR))
      assert.equal(await withClockAhead(2 * HOUR, () => store.data(ID)), undefined)
    },
  },
  {
    id: 'clocks/ahead-of-the-database',
    title:
      'where the clock of the application is ahead of that of the database, sessions end by the application',
    level: 'should',
    why: 'A session that has ended opens for as long as the clocks differ.',
    source: 'voxpelli/node-connect-pg-simple#25',
    options: { skew: HALF_AN_HOUR },
    needs: ['skew'],
    check: checkLife,
  },
  {
    id: 'clocks/behind-the-database',
    title:
      'where the clock of the application is behind that of the database, sessions end by the application',
    level: 'should',
    why: 'Everybody is logged out at once: to the database each session has ended before it begins.',
    source: 'voxpelli/node-connect-pg-simple#25',
    options: { skew: -HALF_AN_HOUR },
    needs: ['skew'],
    check: checkLife,
  },
]
