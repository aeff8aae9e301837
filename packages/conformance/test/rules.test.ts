import assert from 'node:assert/strict'
import { rules, run, suite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { bulk, prefixes } from './mutants/bulk.ts'
import { callbacks, troubles } from './mutants/callbacks.ts'
import { concurrency } from './mutants/concurrency.ts'
import { data } from './mutants/data.ts'
import { ended, expiry } from './mutants/expiry.ts'
import { frameworks } from './mutants/frameworks.ts'
import { http } from './mutants/http.ts'
import { ids } from './mutants/ids.ts'
import { lifecycle } from './mutants/lifecycle.ts'
import { logouts } from './mutants/logout.ts'
import { sealed } from './mutants/sealed.ts'
import { touches } from './mutants/touch.ts'
import { reference } from './reference.ts'

/** Stores that are broken in one way each, by the rule that must see it. */
const mutants = {
  ...callbacks,
  ...troubles,
  ...data,
  ...ids,
  ...expiry,
  ...ended,
  ...touches,
  ...concurrency,
  ...logouts,
  ...bulk,
  ...prefixes,
  ...sealed,
  ...lifecycle,
  ...http,
  ...frameworks,
}

suite({ describe, it, ...reference() })

describe.concurrent('a broken store is found by the rule against it', () => {
  it('every rule has a mutant, and every mutant its rule', () => {
    assert.deepEqual(Object.keys(mutants).sort(), rules.map(({ id }) => id).sort())
  })
  for (const rule of rules)
    it(rule.id, async () => {
      const [result] = await run(reference(mutants[rule.id as keyof typeof mutants]), [rule], {
        deadline: 6000,
      })
      assert.equal(result?.outcome, 'failed')
    })
})
