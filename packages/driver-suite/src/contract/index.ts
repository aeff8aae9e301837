import type { RuleInfo } from '@session-stores/conformance'
import { closeDeployment, runAndCleanUp } from '../common.ts'
import type { Deployment, MakeDeployment } from '../deployment.ts'
import { declare, type Runner } from '../runner.ts'
import { batches } from './batch.ts'
import { data } from './data.ts'
import { decisions } from './decide.ts'
import { expressions } from './expression.ts'
import { extensions } from './extend.ts'
import type { DriverRule, Fixture } from './fixture.ts'
import { lifecycle } from './lifecycle.ts'
import { lists } from './list.ts'
import { agreement } from './model.ts'
import { prunes } from './prune.ts'
import { races } from './race.ts'
import { sentTwice } from './sent-twice.ts'
import { tombstones } from './tombstone.ts'
import { touches } from './touch.ts'
import { writes } from './write.ts'

const rules: readonly DriverRule[] = [
  ...lifecycle,
  ...data,
  ...expressions,
  ...decisions,
  ...writes,
  ...extensions,
  ...tombstones,
  ...sentTwice,
  ...batches,
  ...touches,
  ...lists,
  ...prunes,
  ...races,
  agreement,
]

/**
 * Describes the rules of the part `contract`, in the order in which they run. The level of all of
 * them is `must`, because core relies on each of them. A rule id never changes, so reports may
 * refer to it.
 */
export const contractRules: readonly RuleInfo[] = rules.map(({ id, why }) => ({
  id,
  title: id.replace(/^contract\/[\w-]+\//, '').replaceAll('-', ' '),
  level: 'must',
  why,
}))

/** Declares the tests of the contract that is stated in `driver.ts` of core. */
export function contractSuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'the contract', rules, (check) => withDrivers(make, check))
}

/** Calls `check` with the drivers of a new deployment, and closes all deployments afterwards. */
async function withDrivers(make: MakeDeployment, check: (fixture: Fixture) => Promise<void>): Promise<void> {
  const deployments: Deployment[] = []
  async function another(): Promise<Deployment> {
    const deployment = await make({})
    deployments.push(deployment)
    return deployment
  }
  await runAndCleanUp(
    async () => {
      const [a, b] = (await another()).drivers
      await Promise.all([a.setup(), b.setup()])
      await check({ a, b, now: Date.now(), another })
    },
    async () => {
      for (const deployment of deployments) await closeDeployment(deployment)
    },
  )
}
