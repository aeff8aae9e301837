import assert from 'node:assert/strict'
import type { SessionData } from 'express-session'
import {
  type Driver,
  memoryDriver,
  SessionStore,
  SessionStoreError,
  type SessionStoreErrorCode,
  type StoreOptions,
} from '../../src/index.ts'

/** Helpers for tests of what the store does when its driver misbehaves. */

export const ID = 'the-session-id'

export interface FaultyDriver extends Driver {
  faults: Partial<Driver>
}

const underneath = new WeakMap<FaultyDriver, Driver>()

/** The reference driver under a faulty one. */
export const memoryOf = (driver: FaultyDriver): Driver => underneath.get(driver)!

/**
 * Makes a driver whose faults come and go. A verb in `faults` replaces that of the reference
 * driver.
 */
export function faulty(faults: Partial<Driver> = {}): FaultyDriver {
  const driver = memoryDriver()
  const made: FaultyDriver = { ...driver, faults }
  underneath.set(made, driver)
  for (const verb of Object.keys(driver) as (keyof Driver)[])
    if (typeof driver[verb] === 'function')
      Object.assign(made, {
        [verb]: (...args: never[]) =>
          ((made.faults[verb] ?? driver[verb]) as (...args: never[]) => unknown)(...args),
      })
  return made
}

export const storeOn = (driver: Driver, options: StoreOptions = {}): SessionStore =>
  new SessionStore(driver, { pruneInterval: false, user: () => undefined, ...options })

/**
 * A short time limit for calls that time out. Other calls may need several attempts: see
 * `eventually`.
 */
export const hastyOn = (driver: Driver, options: StoreOptions = {}): SessionStore =>
  storeOn(driver, { operationTimeout: 20, ...options })

export const plain = (data: object = {}, cookie: object = {}): SessionData =>
  ({
    cookie: { path: '/', httpOnly: true, expires: null, originalMaxAge: null, ...cookie },
    ...data,
  }) as SessionData

export const hangs = (): Promise<never> => new Promise(() => {})

export async function fails(code: SessionStoreErrorCode, call: Promise<unknown>): Promise<SessionStoreError> {
  const failure = await call.then(
    () => assert.fail(`it does not fail with ${code}`),
    (error) => error,
  )
  assert.ok(failure instanceof SessionStoreError)
  assert.equal(failure.code, code)
  assert.ok(!failure.message.includes('geheim'))
  return failure
}

/**
 * Repeats a call after each TIMEOUT, because the process may be slow or earlier calls may still
 * wait.
 */
export async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await call()
    } catch (error) {
      if ((error as SessionStoreError).code !== 'TIMEOUT') throw error
    }
}
