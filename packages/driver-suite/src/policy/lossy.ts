import type { Driver, Write } from '@session-stores/core'
import { SessionStoreError, UncertainWriteError } from '@session-stores/core'

/** Drivers of a real database behind a network that loses replies. */

const lost = (): SessionStoreError => new SessionStoreError('UNAVAILABLE', 'the connection broke')

type WriteCall = (writes: readonly Write[], now: number) => Promise<string[]>

export interface LossyDriver extends Driver {
  /** What becomes of the next call of `write`; afterwards calls are as usual. */
  next: WriteCall | undefined
}

export function lossy(driver: Driver): LossyDriver {
  const made: LossyDriver = {
    ...driver,
    next: undefined,
    write(writes, now) {
      const { next } = made
      made.next = undefined
      return next ? next(writes, now) : driver.write(writes, now)
    },
  }
  return made
}

/** The database does it, and the reply is lost. */
export const answerIsLost =
  (driver: Driver): WriteCall =>
  async (writes, now) => {
    await driver.write(writes, now)
    throw lost()
  }

/** The call never reaches the database. */
export const callIsLost = (): WriteCall => async () => {
  throw lost()
}

/** The database does it, the reply is lost, something else happens, and the client sends the call again. */
export const isSentAgain =
  (driver: Driver, meanwhile: () => Promise<unknown>): WriteCall =>
  async (writes, now) => {
    await driver.write(writes, now)
    await meanwhile()
    const landed = await driver.write(writes, now)
    if (landed.length < writes.length) throw new UncertainWriteError(landed)
    return landed
  }

/** The call waits on its way until `released` fulfils, and then reaches the database. `ended` is told the answer. */
export const isHeldUp =
  (driver: Driver, released: Promise<unknown>, ended: (landed: Promise<string[]>) => void): WriteCall =>
  (writes, now) => {
    const landed = released.then(() => driver.write(writes, now))
    ended(landed)
    return landed
  }
