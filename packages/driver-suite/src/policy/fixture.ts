import assert from 'node:assert/strict'
import type { Channel } from 'node:diagnostics_channel'
import { setImmediate as turn } from 'node:timers/promises'
import {
  type Driver,
  type Format,
  SessionStore,
  SessionStoreError,
  type SessionStoreErrorCode,
  type StoreOptions,
} from '@session-stores/core'
import { closeDeployment, readPages, runAndCleanUp } from '../common.ts'
import type { Deployment, MakeDeployment } from '../deployment.ts'
import type { Rule } from '../runner.ts'

/** What a rule works with: stores on one empty database, as two processes would have them. */
export interface Stores {
  /**
   * Makes a store in the first process. It takes the time from `clock` and never prunes by itself.
   */
  open(options?: StoreOptions): SessionStore
  /** Makes a store in the second process. */
  openOther(options?: StoreOptions): SessionStore
  /**
   * Makes a store on a driver of the rule's own, such as one that loses replies, or with formats that
   * are not released.
   */
  openOn(driver: Driver, options?: StoreOptions, formats?: readonly Format[]): SessionStore
  /** The drivers of the first and of the second process. */
  drivers: readonly [Driver, Driver]
  /**
   * Starts at the time of the machine. A rule moves it ahead by hours (see `Fixture.now` of the
   * contract).
   */
  clock: { now: number }
  /** Returns everything that the database holds. */
  dump(): Promise<Buffer>
}

export type StoreRule = Rule<Stores>

/** Returns a function that makes rules whose ids begin with `prefix` and a slash. */
export const prefixRules =
  (prefix: string) =>
  (id: string, why: string, check: StoreRule['check']): StoreRule => ({ id: `${prefix}/${id}`, why, check })

/**
 * Checks that the call rejects with a `SessionStoreError` of this code whose message contains none
 * of the `secrets`, and returns the error.
 */
export async function assertFails(
  code: SessionStoreErrorCode,
  call: Promise<unknown>,
  ...secrets: string[]
): Promise<SessionStoreError> {
  let failure: unknown
  try {
    await call
  } catch (error) {
    failure = error
  }
  assert.ok(failure !== undefined, `does not fail with ${code}`)
  assert.ok(failure instanceof SessionStoreError, `fails with another class of error: ${failure}`)
  assert.equal(failure.code, code)
  for (const secret of secrets) assert.ok(!failure.message.includes(secret), 'the message contains a secret')
  return failure
}

/**
 * Waits for some turns of the event loop, so that everything that is due in this process has run.
 */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn()
}

/** Returns the messages that are published on this channel during the work. */
export async function recordMessages<T>(channel: Channel, work: () => Promise<unknown>): Promise<T[]> {
  const messages: T[] = []
  const listener = (message: unknown) => void messages.push(message as T)
  channel.subscribe(listener)
  try {
    await work()
  } finally {
    channel.unsubscribe(listener)
  }
  return messages
}

/** Returns the errors that the process emits as `event` during the work, and shortly after it. */
export async function recordErrors(
  event: 'unhandledRejection' | 'warning',
  work: () => Promise<unknown>,
): Promise<unknown[]> {
  const errors: unknown[] = []
  const listener = (error: unknown) => void errors.push(error)
  process.on(event, listener)
  try {
    await work()
    await settle()
  } finally {
    process.off(event, listener)
  }
  return errors
}

type OpenStore = (driver: Driver, options: StoreOptions, formats?: readonly Format[]) => SessionStore

/** Calls `check` with stores on a new deployment, and closes the deployment afterwards. */
export async function withStores(
  make: MakeDeployment,
  check: (stores: Stores, deployment: Deployment) => Promise<void>,
  openStore: OpenStore = (driver, options, formats) => new SessionStore(driver, options, formats),
): Promise<void> {
  const deployment = await make({})
  const { drivers } = deployment
  const clock = { now: Date.now() }
  const openOn: Stores['openOn'] = (driver, options, formats) =>
    openStore(driver, { pruneInterval: false, now: () => clock.now, ...options }, formats)
  const stores: Stores = {
    open: (options) => openOn(drivers[0], options),
    openOther: (options) => openOn(drivers[1], options),
    openOn,
    drivers,
    clock,
    dump: async () => Buffer.from((await (deployment.dump?.() ?? dumpRows(drivers[0]))) as Uint8Array),
  }
  await runAndCleanUp(
    () => check(stores, deployment),
    () => closeDeployment(deployment),
  )
}

/** Returns the rows of all sessions as JSON, for deployments without `dump`. */
async function dumpRows(driver: Driver): Promise<string> {
  const rows: unknown[] = []
  for await (const keys of readPages(driver, { limit: 1000 }))
    if (keys.length > 0) rows.push(await driver.read([...new Set(keys)].sort()))
  return JSON.stringify(rows)
}
