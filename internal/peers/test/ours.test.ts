import { type Result, rules, run } from '@session-stores/conformance'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { mongoProcess, postgresProcess, redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { definition as memory } from '../src/subjects/session-store.ts'
import { definition as sqlite } from '../src/subjects/sqlite-store.ts'

/**
 * All rules, `info` too, side by side, on servers that can be cut off and frozen; nothing is opted out of. Each
 * package's own tests show the rules on all of its servers, with the other two of the four ways to store a session.
 */

/** Milliseconds: a busy machine makes 100 saves of one session, one after the other, beside all the other rules. */
const PATIENCE = 10_000

const seal = { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] }

const broken = (results: readonly Result[]): string[] =>
  results
    .filter(({ outcome }) => outcome !== 'passed' && outcome !== 'not-run')
    .map(({ id, outcome, reason }) => `${id} ${outcome}: ${reason}`)

function keepsEveryRule(definition: DriverSubject): void {
  it.each([
    ['ids as they are, in plain text', { hashIds: false }],
    ['hashed ids, sealed', { seal }],
  ])('passes every rule: %s', async (_, options) => {
    const results = await run(
      subjectOf({ ...definition, options: { ...options, operationTimeout: PATIENCE } }),
      rules,
    )
    expect(broken(results)).toEqual([])
    // What is not run needs a network, or an option that this store or no store of the core has.
    for (const { id, reason } of results.filter(({ outcome }) => outcome === 'not-run'))
      expect(`${id}: ${reason}`).toMatch(
        /gives no `(stop|freeze)`|does not accept `(prefixes|tables|timeZones|pruneInterval|ttlOf|disableTouch)`|is not installed/,
      )
    expect(results.length).toBeGreaterThan(210)
  })
}

for (const definition of [memory, sqlite]) describe(definition.name, () => keepsEveryRule(definition))

// A subject starts its server as soon as it is loaded: where none can be had, it is not.
describeWith('RedisStore', redisProcess, async () =>
  keepsEveryRule((await import('../src/subjects/redis-store.ts')).definition),
)
describeWith('PostgresStore', postgresProcess, async () =>
  keepsEveryRule((await import('../src/subjects/postgres-store.ts')).definition),
)
describeWith('MongoStore', mongoProcess, async () =>
  keepsEveryRule((await import('../src/subjects/mongo-store.ts')).definition),
)
