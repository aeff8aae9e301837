import type { Awaitable } from '@session-stores/core'
import { cookies } from './express/cookies.ts'
import { http } from './express/http.ts'
import { matrix } from './express/matrix.ts'
import { declare, type Runner } from './runner.ts'
import { type StoreBackend, type StoreRule, withStores } from './store/fixture.ts'

export const expressRules: readonly StoreRule[] = [...matrix, ...http, ...cookies]

/** Makes a test of each thing that express-session does with a store, over HTTP. `make` as for `storeSuite`. */
export function expressSuite(runner: Runner, make: () => Awaitable<StoreBackend>): void {
  declare(runner, 'the store under express-session', expressRules, (check) => withStores(make, check))
}
