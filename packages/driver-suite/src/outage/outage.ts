import assert from 'node:assert/strict'
import { type Driver, SessionStore } from '@session-stores/core'
import { Load } from './load.ts'
import { codeOf, type Ended } from './user.ts'

/** What happens to the servers while calls go on. */
export interface Outage {
  strike(load: Load): Promise<void> | void
  /** What follows when service is back, such as the return of a server that was silent. */
  return?(): Promise<void> | void
}

/** What became of the calls, and of what the store had acknowledged. Times are seconds. */
export interface Figures {
  calls: number
  failed: number
  /** The longest time in which no call of some verb succeeded. */
  silence: number
  /** From the beginning of the outage until the last failure; 0: none. */
  recovery: number
  /** The longest call. */
  longest: number
  /** Acknowledged saves, and how many of them are lost: neither their value nor a later one is there. */
  saves: number
  lost: number
  /** Acknowledged logouts, and how many of them are undone: the session is there again. */
  logouts: number
  undone: number
}

/** The `operationTimeout` of the store, in milliseconds: shorter than many an outage, so that it counts. */
const OPERATION_TIMEOUT = 1000

/** How calls may fail while servers do. */
const EXPECTED = ['TIMEOUT', 'UNAVAILABLE']

/**
 * Calls a store of this driver all the time, lets the outage happen, and looks what is left when service is back.
 * Rejects where it does not come back, a call hangs, calls back twice, or fails with an error that no outage
 * explains. Closes the driver.
 */
export async function endure(driver: Driver, outage: Outage): Promise<Figures> {
  // New tables and indexes take their time.
  await driver.setup()
  const store = new SessionStore(driver, {
    operationTimeout: OPERATION_TIMEOUT,
    onGone: 'error',
    pruneInterval: false,
  })
  const load = new Load(store, OPERATION_TIMEOUT)
  let began = 0
  try {
    await load.works()
    assert.deepEqual(load.failed, {}, 'no call fails before the outage')
    load.silence = 0
    began = performance.now()
    await outage.strike(load)
    await load.works()
    await outage.return?.()
    await load.works()
  } finally {
    await load.stop()
  }
  const { overdue, surplus, failed } = load
  assert.equal(overdue, 0, 'calls hang')
  assert.equal(surplus, 0, 'a call calls back twice')
  const unexpected = Object.entries(failed).filter(([code]) => !EXPECTED.includes(code))
  assert.deepEqual(unexpected, [], 'calls fail for another reason')
  const seconds = (ms: number): number => Math.round(ms) / 1000
  const figures = {
    calls: load.calls,
    failed: load.failures,
    silence: seconds(load.silence),
    recovery: load.lastFailure > 0 ? seconds(load.lastFailure - began) : 0,
    longest: seconds(load.longest),
    ...(await losses(store, load)),
  }
  await store.close()
  return figures
}

async function losses(
  store: SessionStore,
  { users }: Load,
): Promise<Pick<Figures, 'saves' | 'lost' | 'logouts' | 'undone'>> {
  const ended = users.flatMap((user) => user.ended)
  let undone = 0
  await some(users, (user) => user.check())
  await some(ended, async (each) => {
    if (await isBack(store, each)) undone++
  })
  const sum = (of: 'saves' | 'lost'): number => users.reduce((total, user) => total + user[of], 0)
  return { saves: sum('saves'), lost: sum('lost'), logouts: ended.length, undone }
}

/** Whether a session is there that was ended: by itself, or when a request that read it before saves it late. */
async function isBack(store: SessionStore, { id, session }: Ended): Promise<boolean> {
  if ((await store.get(id)) !== null) return true
  session.value = 'saved late'
  await store.set(id, session).catch((error) => {
    if (codeOf(error) !== 'GONE') throw error
  })
  return (await store.get(id)) !== null
}

/** Several hundred at a time. */
async function some<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < all.length; i += 500) await Promise.all(all.slice(i, i + 500).map(each))
}
