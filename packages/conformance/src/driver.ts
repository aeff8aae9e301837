import { data } from './driver/data.ts'
import { decisions } from './driver/decide.ts'
import { expressions } from './driver/expression.ts'
import type { DriverBackend, DriverRule, Fixture } from './driver/fixture.ts'
import { lifecycle } from './driver/lifecycle.ts'
import { lists } from './driver/list.ts'
import { prunes } from './driver/prune.ts'
import { races } from './driver/race.ts'
import { touches } from './driver/touch.ts'
import { writes } from './driver/write.ts'
import { agreement } from './model.ts'
import type { RuleInfo } from './rule.ts'
import { declare, type Runner } from './runner.ts'

const clauses: readonly DriverRule[] = [
  ...lifecycle,
  ...data,
  ...expressions,
  ...decisions,
  ...writes,
  ...touches,
  ...lists,
  ...prunes,
  ...races,
  agreement,
]

/** What is known of each rule of the contract. All are `must`: the core relies on each of them. */
export const driverRules: readonly RuleInfo[] = clauses.map(({ id, why }) => ({
  id,
  title: id.replace(/^driver\//, '').replaceAll('-', ' '),
  level: 'must',
  why,
}))

/**
 * Makes a test of each clause of the contract in `driver.ts` of the core. `make` is called for each of them,
 * so it should be quick: a new file, prefix or table, not a new server.
 */
export function driverSuite(runner: Runner, make: () => DriverBackend | Promise<DriverBackend>): void {
  declare(runner, 'the driver', clauses, (check) => withBackend(make, check))
}

async function withBackend(
  make: () => DriverBackend | Promise<DriverBackend>,
  check: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const backends: DriverBackend[] = []
  async function another(): Promise<DriverBackend> {
    const backend = await make()
    backends.push(backend)
    return backend
  }
  async function end(): Promise<void> {
    for (const { drivers, dispose } of backends) {
      for (const driver of drivers) await driver.close()
      await dispose?.()
    }
  }
  try {
    const [a, b] = (await another()).drivers
    await Promise.all([a.setup(), b.setup()])
    await check({ a, b, now: Date.now(), another })
  } catch (error) {
    // What is broken may fail to close as well; the first failure tells more.
    await end().catch(() => {})
    throw error
  }
  await end()
}
