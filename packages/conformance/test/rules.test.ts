import assert from 'node:assert/strict'
import { rules, run, suite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { mutants } from './mutants/index.ts'
import { reference } from './reference.ts'

suite({ describe, it, ...reference() })

describe.concurrent('a broken store is found by the rule against it', () => {
  it('every rule has a mutant, and every mutant its rule', () => {
    assert.deepEqual(Object.keys(mutants).sort(), rules.map(({ id }) => id).sort())
  })
  for (const rule of rules)
    it(rule.id, async () => {
      const [result] = await run(reference(mutants[rule.id]), [rule], {
        deadline: 6000,
      })
      assert.equal(result?.outcome, 'failed')
    })
})
