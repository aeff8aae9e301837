import type { Subject } from '@session-stores/conformance'
import { type Driver, type Row, SessionStore, type StoreOptions } from '@session-stores/core'
import type { DeploymentOptions, MakeDeployment } from './deployment.ts'

/** A driver for the command line of the conformance suite, or for `run`. */
export interface DriverSubject {
  name: string
  make: MakeDeployment
  /**
   * The options that `make` follows. Default: none. Name `pruneInterval` where expired rows stay in the database
   * until they are pruned.
   */
  follows?: readonly (keyof DeploymentOptions | 'pruneInterval')[]
  /** Options of the stores. */
  options?: StoreOptions
}

/** What a driver makes of the stores of the core, for `suite` and the command line. They go by a clock that is driven. */
export function subjectOf({ name, make, follows = [], options }: DriverSubject): Subject {
  return {
    name,
    accepts: ['ttl', 'secrets', 'touchAfter', 'skew', ...follows],
    async make({ ttl, secrets, touchAfter, skew = 0, pruneInterval = false, ...others }) {
      const { drivers, dispose, stop, freeze } = await make(others)
      let ahead = skew
      const store = (driver: Driver, secret?: string): SessionStore =>
        new SessionStore(driver, {
          pruneInterval,
          operationTimeout: 4000,
          ...options,
          ...(ttl !== undefined && { idleTimeout: ttl }),
          ...(touchAfter !== undefined && { touchAfter }),
          ...(secret !== undefined && { seal: { keys: [secret] } }),
          now: () => Date.now() + ahead,
        })
      const stores = [store(drivers[0], secrets?.[0]), store(drivers[1], secrets?.[1])] as const
      const keyOf = (id: string): string => (options?.hashIds === false ? id : stores[0].handle(id))
      return {
        ...(stop && { stop }),
        ...(freeze && { freeze }),
        stores,
        advance(ms) {
          ahead += ms
        },
        corrupt: () => corrupt(drivers[0]),
        // Long before any of them ended.
        stored: () => drivers[0].count(0),
        async move(from, to) {
          const [row] = await drivers[0].read([keyOf(from)])
          await replaceRows(drivers[0], [{ ...row!, key: keyOf(to) }])
        },
        async dispose() {
          for (const one of stores) await one.close()
          await dispose?.()
        },
      }
    },
  }
}

/** Makes what the sessions hold unreadable; which row a session has only the store knows. */
async function corrupt(driver: Driver): Promise<void> {
  let after: string | undefined
  do {
    const { keys, next } = await driver.list({ after, limit: 100 })
    const rows = keys.length > 0 ? await driver.read([...new Set(keys)].sort()) : []
    const broken = rows.filter((row) => row.data !== null).map((row) => ({ ...row, data: '{"cookie":' }))
    if (broken.length > 0) await replaceRows(driver, broken)
    after = next
  } while (after !== undefined)
}

/** Puts these rows there, tags and all, whatever stands there: over a tombstone, which always lands. */
async function replaceRows(driver: Driver, rows: readonly Row[]): Promise<void> {
  const sorted = rows.toSorted((one, other) => (one.key < other.key ? -1 : 1))
  const tag = 'to-be-replaced'
  await driver.write(
    sorted.map((row) => ({ ...row, data: null, tag })),
    0,
  )
  await driver.write(
    sorted.map((row) => ({ ...row, expect: tag })),
    0,
  )
}
