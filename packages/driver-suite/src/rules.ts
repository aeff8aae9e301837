import assert from 'node:assert/strict'
import { type Result, rules, run } from '@session-stores/conformance'
import type { StoreOptions } from '@session-stores/core'
import type { MakeDeployment } from './deployment.ts'
import { declare, type Runner } from './runner.ts'
import { subjectOf } from './subject.ts'

/** Milliseconds: a busy machine makes 100 saves of one session, one after the other, beside all the other rules. */
const PATIENCE = 30_000
/** When a rule that comes to no end is given up, in milliseconds: a busy machine runs hundreds of them side by side. */
const DEADLINE = 50_000

const variants: readonly StoreOptions[] = [
  {},
  { hashIds: false, seal: { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] } },
]

/**
 * Makes a test of all rules for any store (`rules`), side by side, on stores of the core on this database: with hashed
 * ids and in plain text, and with ids as they are and sealed. Nothing is opted out of, and `info` counts too.
 */
export function conformanceSuite(runner: Runner, make: MakeDeployment): void {
  const rule = {
    id: 'are all kept, with hashed ids and without, sealed and not',
    why: 'The stores promise to keep every rule that others are judged by.',
    async check() {
      const broken = await Promise.all(variants.map((options) => brokenBy(make, options)))
      assert.deepEqual(broken.flat(), [])
    },
  }
  declare(runner, 'the rules for any store', [rule], async (check) => check(undefined))
}

async function brokenBy(make: MakeDeployment, options: StoreOptions): Promise<string[]> {
  const subject = subjectOf({
    name: 'the store',
    make,
    options: { operationTimeout: PATIENCE, ...options },
  })
  const results = await run(subject, rules, { deadline: DEADLINE })
  return results
    .filter((result) => result.outcome !== 'passed' && !isBeyond(result))
    .map(({ id, outcome, reason }) => `${id} ${outcome}: ${reason} (${Object.keys(options).join()})`)
}

/** It needs a network that can be cut, an option that these stores do not have, or a framework that is not there. */
const BEYOND =
  /gives no `(stop|freeze)`|does not accept `(prefixes|tables|timeZones|pruneInterval|ttlOf|disableTouch)`|is not installed/

const isBeyond = ({ outcome, reason = '' }: Result): boolean => outcome === 'not-run' && BEYOND.test(reason)
