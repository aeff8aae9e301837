import {
  type Driver,
  type SessionStore,
  SessionStoreError,
  type StoreOptions,
  UncertainWriteError,
  type Write,
} from '@session-stores/core'
import type { Stores } from './fixture.ts'

/** A driver of a real database behind a network that loses calls and replies. */

const makeConnectionError = (): SessionStoreError =>
  new SessionStoreError('UNAVAILABLE', 'the connection broke')

type WriteCall = (writes: readonly Write[], now: number) => Promise<string[]>

export interface LossyDriver extends Driver {
  /** Replaces the next call of `write`. Later calls go to the database as usual. */
  next: WriteCall | undefined
}

export function makeLossy(driver: Driver): LossyDriver {
  const lossy: LossyDriver = {
    ...driver,
    next: undefined,
    write(writes, now) {
      const { next } = lossy
      lossy.next = undefined
      return next ? next(writes, now) : driver.write(writes, now)
    },
  }
  return lossy
}

/** A store behind a network that loses replies, and a second store in another process. */
export interface LossyStores {
  driver: Driver
  network: LossyDriver
  store: SessionStore
  second: SessionStore
}

export function openLossy(
  { drivers: [driver], openOn, openOther }: Stores,
  options?: StoreOptions,
): LossyStores {
  const network = makeLossy(driver)
  return { driver, network, store: openOn(network, options), second: openOther(options) }
}

/** The write takes effect, and its reply is lost. */
export const loseReply =
  (driver: Driver): WriteCall =>
  async (writes, now) => {
    await driver.write(writes, now)
    throw makeConnectionError()
  }

/** The call never reaches the database. */
export const loseCall = (): WriteCall => async () => {
  throw makeConnectionError()
}

/**
 * The write takes effect, its reply is lost, `meanwhile` happens, and the client resends the write.
 */
export const resend =
  (driver: Driver, meanwhile: () => Promise<unknown>): WriteCall =>
  async (writes, now) => {
    await driver.write(writes, now)
    await meanwhile()
    const landed = await driver.write(writes, now)
    if (landed.length < writes.length) throw new UncertainWriteError(landed)
    return landed
  }

/**
 * The call reaches the database only after `released` has fulfilled. `ended` is called with the
 * reply.
 */
export const holdUp =
  (driver: Driver, released: Promise<unknown>, ended: (landed: Promise<string[]>) => void): WriteCall =>
  (writes, now) => {
    const landed = released.then(() => driver.write(writes, now))
    ended(landed)
    return landed
  }
