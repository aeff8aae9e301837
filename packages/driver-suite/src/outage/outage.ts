import assert from 'node:assert/strict'
import { type Driver, SessionStore } from '@session-stores/core'
import { getCode, runInChunks } from '../common.ts'
import { Load } from './load.ts'
import type { Ended } from './user.ts'

/** What happens to the servers while calls go on. */
export interface Outage {
  /** Begins the outage. The load must work again some time after this. */
  strike(load: Load): Promise<void> | void
  /** Runs when service is back. For example, it brings back a server that was silent. */
  return?(): Promise<void> | void
}

/** The results of the calls, and the acknowledged calls that were lost. Times are in seconds. */
export interface Figures {
  calls: number
  failed: number
  /** The longest time in which no call of one of the verbs succeeded. */
  silence: number
  /** The time from the beginning of the outage to the last failed call; 0 when no call failed. */
  recovery: number
  /** The duration of the longest call. */
  longest: number
  /** Acknowledged saves. */
  saves: number
  /** Acknowledged saves of which neither the value nor a later value was found. */
  lost: number
  /** Acknowledged logouts. */
  logouts: number
  /** Acknowledged logouts after which the session was found again. */
  undone: number
}

/**
 * The `operationTimeout` of the store, in milliseconds. It is shorter than most outages, so that
 * calls time out.
 */
const OPERATION_TIMEOUT = 1000

/** The codes with which calls may fail during an outage. */
const EXPECTED = ['TIMEOUT', 'UNAVAILABLE']

/** How many calls at the end are made at once. */
const CHUNK = 500

/**
 * Calls a store on this driver without pause during an outage, then checks which acknowledged calls
 * were lost, and closes the driver. Rejects when service does not come back, or when a call hangs,
 * calls back twice, or fails with an error that the outage does not explain.
 */
export async function endure(driver: Driver, outage: Outage): Promise<Figures> {
  // The tables and indexes are made before the load begins, because that can take long.
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
    ...(await countLosses(store, load)),
  }
  await store.close()
  return figures
}

async function countLosses(
  store: SessionStore,
  { users }: Load,
): Promise<Pick<Figures, 'saves' | 'lost' | 'logouts' | 'undone'>> {
  const ended = users.flatMap((user) => user.ended)
  let undone = 0
  await runInChunks(users, CHUNK, (user) => user.check())
  await runInChunks(ended, CHUNK, async (each) => {
    if (await isBack(store, each)) undone++
  })
  const sum = (of: 'saves' | 'lost'): number => users.reduce((total, user) => total + user[of], 0)
  return { saves: sum('saves'), lost: sum('lost'), logouts: ended.length, undone }
}

/**
 * Checks whether an ended session exists: either by itself, or after a late save by a request that
 * read it before.
 */
async function isBack(store: SessionStore, { id, session }: Ended): Promise<boolean> {
  if ((await store.get(id)) !== null) return true
  session.value = 'saved late'
  await store.set(id, session).catch((error) => {
    if (getCode(error) !== 'GONE') throw error
  })
  return (await store.get(id)) !== null
}
