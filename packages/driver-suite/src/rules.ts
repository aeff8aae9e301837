import assert from 'node:assert/strict'
import { type Result, rules, run } from '@session-stores/conformance'
import type { StoreOptions } from '@session-stores/core'
import type { MakeDeployment } from './deployment.ts'
import { declare, type Runner } from './runner.ts'
import { subjectOf } from './subject.ts'

/**
 * The `operationTimeout` of the stores, in milliseconds. It is long because one rule makes 100
 * saves of one session, one after the other, while all the other rules run on the same machine.
 */
const OPERATION_TIMEOUT = 30_000
/**
 * The time limit of one rule, in milliseconds. It is long because hundreds of rules run at the same
 * time.
 */
const RULE_DEADLINE = 50_000

const variants: readonly StoreOptions[] = [
  {},
  { hashIds: false, seal: { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] } },
]

/**
 * Declares one test that runs every conformance rule on stores of core with this driver: once with
 * hashed ids and plain sessions, and once with plain ids and sealed sessions. No rule is opted out
 * of, and `info` rules count too.
 */
export function conformanceSuite(runner: Runner, make: MakeDeployment): void {
  const rule = {
    id: 'are all kept, with hashed ids and without, sealed and not',
    why: 'The stores promise to keep every rule that others are judged by.',
    async check() {
      const broken = await Promise.all(variants.map((options) => findBroken(make, options)))
      assert.deepEqual(broken.flat(), [])
    },
  }
  declare(runner, 'the rules for any store', [rule], async (check) => check(undefined))
}

async function findBroken(make: MakeDeployment, options: StoreOptions): Promise<string[]> {
  const subject = subjectOf({
    name: 'the store',
    make,
    options: { operationTimeout: OPERATION_TIMEOUT, ...options },
  })
  const results = await run(subject, rules, { deadline: RULE_DEADLINE })
  return results
    .filter((result) => result.outcome !== 'passed' && !isNotApplicable(result))
    .map(({ id, outcome, reason }) => `${id} ${outcome}: ${reason} (${Object.keys(options).join()})`)
}

/**
 * The reasons why a rule may be left out: what the deployment, the stores or this installation do
 * not have.
 */
const NOT_APPLICABLE =
  /gives no `(stop|freeze)`|does not accept `(prefixes|tables|timeZones|pruneInterval|ttlOf|disableTouch)`|is not installed/

const isNotApplicable = ({ outcome, reason = '' }: Result): boolean =>
  outcome === 'not-run' && NOT_APPLICABLE.test(reason)
