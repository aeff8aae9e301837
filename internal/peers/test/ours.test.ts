import { type Rule, rules, run } from '@session-stores/conformance'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { databases, type ServerDatabaseId, serverDatabaseIds } from '@session-stores/testbed/databases'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { moduleOf } from '../src/ours.ts'
import { mongodb, postgres, redis } from '../src/places.ts'
import { definition as memory } from '../src/subjects/session-store.ts'
import { definition as sqlite } from '../src/subjects/sqlite-store.ts'

/**
 * The tests of each driver package already run all public rules that need neither a network nor
 * certain options. So this file runs only the other rules: on links that can be cut and frozen, and
 * with these options.
 */
const NETWORK: readonly string[] = ['stop', 'freeze']
const OPTIONS: readonly string[] = [
  'prefixes',
  'tables',
  'timeZones',
  'pruneInterval',
  'ttlOf',
  'disableTouch',
]

const seal = { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] }

const servers = { redis, mongodb, postgres } satisfies Record<ServerDatabaseId, unknown>

/** Returns the rules that the driver packages cannot run and that this subject can. */
function selectRules({ follows = [] }: DriverSubject, hasNetwork: boolean): Rule[] {
  return rules.filter(({ needs = [] }) => {
    const special = needs.filter((need) => NETWORK.includes(need) || OPTIONS.includes(need))
    return (
      special.length > 0 &&
      special.every((need) => (NETWORK.includes(need) ? hasNetwork : follows.some((name) => name === need)))
    )
  })
}

function itPassesRules(definition: DriverSubject, hasNetwork: boolean): void {
  // The rules mostly wait for outages, so both variants run at once.
  it.concurrent.each([
    ['ids as they are, in plain text', { hashIds: false }],
    ['hashed ids, sealed', { seal }],
  ])('passes the rules that the driver packages cannot run: %s', async (_, options) => {
    const selected = selectRules(definition, hasNetwork)
    expect(selected).not.toEqual([])
    const results = await run(subjectOf({ ...definition, options }), selected)
    const broken = results.filter(({ outcome }) => outcome !== 'passed')
    expect(broken.map(({ id, outcome, reason }) => `${id} ${outcome}: ${reason}`)).toEqual([])
  })
}

for (const definition of [memory, sqlite]) describe(definition.name, () => itPassesRules(definition, false))

for (const id of serverDatabaseIds) {
  const { store } = databases[id]
  describeWith(store, servers[id], async () => {
    // A subject starts its server when it is loaded, so it is loaded only if a server is available.
    const { definition } = await import(`../src/subjects/${moduleOf(store)}.ts`)
    itPassesRules(definition, true)
  })
}
