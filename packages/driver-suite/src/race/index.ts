import type { MakeDeployment } from '../deployment.ts'
import { type StoreRule, withStores } from '../policy/fixture.ts'
import { declare, type Runner } from '../runner.ts'
import { logouts } from './logout.ts'
import { processes } from './processes.ts'

export const raceRules: readonly StoreRule[] = [...logouts]

/** Declares tests of what requests do to each other's sessions, thousands of times each. */
export function raceSuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'requests that race', raceRules, (check) => withStores(make, check))
}

/** Declares the same tests between two processes. */
export function processRaceSuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'processes that race', processes, (check) =>
    withStores(make, (stores, { remote }) => {
      if (remote === undefined)
        throw new TypeError(
          "give the deployment a 'remote', or leave 'process-races' out with the option 'only'",
        )
      return check({ ...stores, remote })
    }),
  )
}
