import type { Awaitable } from '@session-stores/core'
import { declare, type Runner } from './runner.ts'
import { bulk } from './store/bulk.ts'
import { callbacks } from './store/callbacks.ts'
import { collisions } from './store/collisions.ts'
import { conflicts } from './store/conflicts.ts'
import { data } from './store/data.ts'
import { deadlines } from './store/deadlines.ts'
import { diagnostics } from './store/events.ts'
import { expiry } from './store/expiry.ts'
import { type StoreBackend, type StoreRule, withStores } from './store/fixture.ts'
import { gone } from './store/gone.ts'
import { hostile } from './store/hostile.ts'
import { ids } from './store/ids.ts'
import { input } from './store/input.ts'
import { order } from './store/order.ts'
import { regenerations } from './store/regenerate.ts'
import { sealing } from './store/sealing.ts'
import { touches } from './store/touch.ts'
import { unanswered } from './store/unanswered.ts'
import { users } from './store/users.ts'

export const storeRules: readonly StoreRule[] = [
  ...callbacks,
  ...data,
  ...input,
  ...ids,
  ...expiry,
  ...touches,
  ...deadlines,
  ...order,
  ...conflicts,
  ...collisions,
  ...gone,
  ...unanswered,
  ...regenerations,
  ...hostile,
  ...users,
  ...bulk,
  ...sealing,
  ...diagnostics,
]

/**
 * Makes a test of each thing that a session store owes its users, for the stores of the core on this database.
 * `make` is called for each of them, so it should be quick: a new file, prefix or table, not a new server.
 */
export function storeSuite(runner: Runner, make: () => Awaitable<StoreBackend>): void {
  declare(runner, 'the store', storeRules, (check) => withStores(make, check))
}
