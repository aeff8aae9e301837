import assert from 'node:assert/strict'
import type { Awaitable, StoreOptions } from '@session-stores/core'
import type { DriverBackend } from './driver/fixture.ts'
import { rules } from './rules.ts'
import { run } from './run.ts'
import { declare, type Runner } from './runner.ts'
import { subjectOf } from './subject.ts'

/** Milliseconds: a busy machine makes 100 saves of one session, one after the other, beside all the other rules. */
const PATIENCE = 10_000

const variants: Readonly<Record<string, StoreOptions>> = {
  'hashed ids': {},
  'ids as they are, sealed': { hashIds: false, seal: { keys: ['0123456789abcdef'.repeat(4)] } },
}

/**
 * Makes a test of all rules for any store (`rules`), side by side, on the stores of the core on this database, and one
 * more on stores with other options. Nothing is opted out of, and `info` counts too. `make` as for `driverSuite`.
 */
export function everyRuleSuite(runner: Runner, make: () => Awaitable<DriverBackend>): void {
  const tests = Object.entries(variants).map(([id, options]) => ({
    id,
    why: 'The stores promise to keep every rule that other stores are judged by.',
    check: () => keepsAll(make, { operationTimeout: PATIENCE, ...options }),
  }))
  declare(runner, 'the rules for any store', tests, async (check) => check(undefined))
}

async function keepsAll(make: () => Awaitable<DriverBackend>, options: StoreOptions): Promise<void> {
  const results = await run(subjectOf({ name: 'the store', place: make, options }), rules)
  const broken = results.filter(({ outcome }) => outcome !== 'passed' && outcome !== 'not-run')
  assert.deepEqual(
    broken.map(({ id, outcome, reason }) => `${id} ${outcome}: ${reason}`),
    [],
  )
  // What is not run needs a network that can be cut, or prefixes, or a framework that is not there.
  for (const { id, outcome, reason } of results)
    if (outcome === 'not-run')
      assert.match(`${id}: ${reason}`, /gives no `(stop|freeze)`|does not accept `prefixes`|is not installed/)
}
