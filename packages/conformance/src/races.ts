import type { Awaitable } from '@session-stores/core'
import { logouts } from './race/logout.ts'
import { type ProcessBackend, processes } from './race/processes.ts'
import { declare, type Runner } from './runner.ts'
import { type StoreBackend, type StoreRule, withStores } from './store/fixture.ts'

export const raceRules: readonly StoreRule[] = [...logouts]

/** Makes tests of what requests do to each other's sessions, 10,000 times each. `make` as for `storeSuite`. */
export function raceSuite(runner: Runner, make: () => Awaitable<StoreBackend>): void {
  declare(runner, 'requests that race', raceRules, (check) => withStores(make, check))
}

/** The same between two processes of the system. */
export function processRaceSuite(runner: Runner, make: () => Awaitable<ProcessBackend>): void {
  declare(runner, 'processes that race', processes, (check) =>
    withStores(make, (stores, { remote }) => check({ ...stores, remote })),
  )
}
