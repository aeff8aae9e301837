import type { RuleInfo } from '@session-stores/conformance'
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

/** What is known of each rule of the contract. All are `must`: the core relies on each of them. */
export const contractRules: readonly RuleInfo[] = rules.map(({ id, why }) => ({
  id,
  title: id.replace(/^contract\/[\w-]+\//, '').replaceAll('-', ' '),
  level: 'must',
  why,
}))

/** Declares a test for each clause of the contract in `driver.ts` of core. */
export function contractSuite(runner: Runner, make: MakeDeployment): void {
  declare(runner, 'the contract', rules, (check) => withDrivers(make, check))
}

async function withDrivers(make: MakeDeployment, check: (fixture: Fixture) => Promise<void>): Promise<void> {
  const deployments: Deployment[] = []
  async function another(): Promise<Deployment> {
    const deployment = await make({})
    deployments.push(deployment)
    return deployment
  }
  async function dispose(): Promise<void> {
    for (const deployment of deployments) {
      for (const driver of deployment.drivers) await driver.close()
      await deployment.dispose?.()
    }
  }
  try {
    const [a, b] = (await another()).drivers
    await Promise.all([a.setup(), b.setup()])
    await check({ a, b, now: Date.now(), another })
  } catch (error) {
    // A broken driver may fail to close as well, and the first failure tells more.
    await dispose().catch(() => {})
    throw error
  }
  await dispose()
}
