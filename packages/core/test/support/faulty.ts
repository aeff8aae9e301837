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

/** For tests of what the store does when its driver does not do what it should. */

export const ID = 'the-session-id'

export interface FaultyDriver extends Driver {
  faults: Partial<Driver>
}

const underneath = new WeakMap<FaultyDriver, Driver>()

/** The reference driver under a faulty one. */
export const memoryOf = (driver: FaultyDriver): Driver => underneath.get(driver)!

/** A driver whose faults come and go: what is among them is done instead of what the reference driver does. */
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

/** For calls that end with TIMEOUT. Where one must end otherwise, it may need several tries: see `eventually`. */
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

/** Tries again after each TIMEOUT: the process may be slow, or calls from before may still wait for their end. */
export async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await call()
    } catch (error) {
      if ((error as SessionStoreError).code !== 'TIMEOUT') throw error
    }
}
