import { rules, run, type Subject } from '@session-stores/conformance'
import { memoryDriver } from '@session-stores/core'
import { subjectOf } from '@session-stores/driver-suite'
import { expect, it } from 'vitest'

/** The groups of rules about what lookups find. Others change rows behind the back of the store. */
const ABOUT_LOOKUPS =
  /^(callbacks|clear|concurrency|cookie|copies|destroy|ended|expiry|regenerate|shared|store|touch|touch-after)\//

/** One process: both stores of each rule are the same one. */
function oneProcess({ make, ...others }: Subject): Subject {
  return {
    ...others,
    async make(options) {
      const made = await make(options)
      return { ...made, stores: [made.stores[0], made.stores[0]] }
    },
  }
}

it('a process that answers from memory keeps every rule for any store', async () => {
  const make = () => {
    const driver = memoryDriver()
    return { drivers: [driver, driver] as const }
  }
  const subject = subjectOf({
    name: 'near',
    make,
    options: { freshness: 3_600_000, operationTimeout: 30_000 },
  })
  const chosen = rules.filter(({ id }) => ABOUT_LOOKUPS.test(id))
  const results = await run(oneProcess(subject), chosen, { deadline: 50_000 })
  // One rule needs a database that can be taken away.
  const broken = results.filter(
    ({ outcome, reason }) => outcome !== 'passed' && !reason?.includes('gives no `stop`'),
  )
  expect(broken.map(({ id, reason }) => `${id}: ${reason}`)).toEqual([])
  expect(results.length).toBeGreaterThan(100)
})
