import type { MakeDeployment } from '../deployment.ts'
import { type StoreRule, withStores } from '../policy/fixture.ts'
import { declare, type Runner } from '../runner.ts'
import { cookies } from './cookies.ts'
import { matrix } from './matrix.ts'
import { requests } from './requests.ts'

export const httpRules: readonly StoreRule[] = [...matrix, ...requests, ...cookies]

/** Declares the tests of what express-session does with a store, over HTTP. */
export function httpSuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'the store under express-session', httpRules, (check) => withStores(make, check))
}
