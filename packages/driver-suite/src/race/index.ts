import type { MakeDeployment } from '../deployment.ts'
import { type StoreRule, withStores } from '../policy/fixture.ts'
import { declare, type Runner } from '../runner.ts'
import { logouts } from './logout.ts'
import { processes } from './processes.ts'

export const raceRules: readonly StoreRule[] = [...logouts]

/** Declares the tests of requests that race for one session, thousands of times each. */
export function raceSuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'requests that race', raceRules, (check) => withStores(make, check))
}

/** Declares the same tests between two processes. */
export function processRaceSuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'processes that race', processes, (check) =>
    withStores(make, (stores, { remote }) => {
      if (remote === undefined)
        throw new TypeError(
          "add a 'remote' to the deployment, or leave 'process-races' out of the option 'only'",
        )
      return check({ ...stores, remote })
    }),
  )
}
