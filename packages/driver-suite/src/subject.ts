import type { Subject } from '@session-stores/conformance'
import { type Driver, type Row, SessionStore, type StoreOptions } from '@session-stores/core'
import { byKey, readPages } from './common.ts'
import type { DeploymentOptions, MakeDeployment } from './deployment.ts'

/** Describes a driver to `subjectOf`. */
export interface DriverSubject {
  /** The name of the store in reports. */
  name: string
  /** Makes the drivers of one rule. */
  make: MakeDeployment
  /**
   * The options that `make` follows. Add `pruneInterval` when expired rows stay in the database
   * until they are pruned.
   *
   * @default []
   */
  follows?: readonly (keyof DeploymentOptions | 'pruneInterval')[]
  /** Options of the stores. Those that a rule asks for, such as `idleTimeout`, take precedence. */
  options?: StoreOptions
}

/**
 * Makes a subject of `@session-stores/conformance`, for its command line, `suite` or `run`: stores
 * of core on the drivers of a deployment. Their clock is the machine's, and `advance` moves it
 * ahead.
 *
 * @example
 * // conformance.ts, for `npx @session-stores/conformance ./conformance.ts`
 * export default subjectOf({ name: 'MyStore', make: makeDeployment, follows: ['tables'] })
 */
export function subjectOf({ name, make, follows = [], options }: DriverSubject): Subject {
  return {
    name,
    accepts: ['ttl', 'secrets', 'touchAfter', 'skew', ...follows],
    async make({ ttl, secrets, touchAfter, skew = 0, pruneInterval = false, ...others }) {
      const { drivers, dispose, stop, freeze } = await make(others)
      let ahead = skew
      const openStore = (driver: Driver, secret?: string): SessionStore =>
        new SessionStore(driver, {
          pruneInterval,
          operationTimeout: 4000,
          ...options,
          ...(ttl !== undefined && { idleTimeout: ttl }),
          ...(touchAfter !== undefined && { touchAfter }),
          ...(secret !== undefined && { seal: { keys: [secret] } }),
          now: () => Date.now() + ahead,
        })
      const stores = [openStore(drivers[0], secrets?.[0]), openStore(drivers[1], secrets?.[1])] as const
      const toKey = (id: string): string => (options?.hashIds === false ? id : stores[0].handle(id))
      return {
        ...(stop && { stop }),
        ...(freeze && { freeze }),
        stores,
        advance(ms) {
          ahead += ms
        },
        corrupt: () => corrupt(drivers[0]),
        // At the time 0 no session has expired yet, so expired sessions count too.
        stored: () => drivers[0].count(0),
        async move(from, to) {
          const [row] = await drivers[0].read([toKey(from)])
          await replaceRows(drivers[0], [{ ...row!, key: toKey(to) }])
        },
        async dispose() {
          for (const one of stores) await one.close()
          await dispose?.()
        },
      }
    },
  }
}

/**
 * Makes the data of every session unreadable, because only the store knows which row belongs to an
 * id.
 */
async function corrupt(driver: Driver): Promise<void> {
  for await (const keys of readPages(driver, { limit: 100 })) {
    const rows = keys.length > 0 ? await driver.read([...new Set(keys)].sort()) : []
    const broken = rows.filter((row) => row.data !== null).map((row) => ({ ...row, data: '{"cookie":' }))
    if (broken.length > 0) await replaceRows(driver, broken)
  }
}

/**
 * Stores exactly these rows. A tombstone comes first, because it lands on any row and names the
 * next tag.
 */
async function replaceRows(driver: Driver, rows: readonly Row[]): Promise<void> {
  const sorted = rows.toSorted(byKey)
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
