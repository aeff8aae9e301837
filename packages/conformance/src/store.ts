import type { Awaitable } from '@session-stores/core'
import { declare, type Runner } from './runner.ts'
import { callbacks } from './store/callbacks.ts'
import { type StoreBackend, type StoreRule, withStores } from './store/fixture.ts'

export const storeRules: readonly StoreRule[] = [...callbacks]

/**
 * Makes a test of each thing that a session store owes its users, for the stores of the core on this database.
 * `make` is called for each of them, so it should be quick: a new file, prefix or table, not a new server.
 */
export function storeSuite(runner: Runner, make: () => Awaitable<StoreBackend>): void {
  declare(runner, 'the store', storeRules, (check) => withStores(make, check))
}
