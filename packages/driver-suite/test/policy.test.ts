import assert from 'node:assert/strict'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { describe, it } from 'vitest'
import { httpRules } from '../src/http/index.ts'
import { type StoreRule, withStores } from '../src/policy/fixture.ts'
import { policyRules } from '../src/policy/index.ts'
import { raceRules } from '../src/race/index.ts'
import { type Fault, faults } from './mutants/policy.ts'

const rules = new Map([...policyRules, ...httpRules, ...raceRules].map((rule) => [rule.id, rule]))

function check(rule: StoreRule, fault: Fault): Promise<void> {
  const memory = memoryDriver()
  const make = () => ({ drivers: [memory, memory] as const })
  return withStores(
    make,
    async (stores) => rule.check(stores),
    (driver, options) => {
      const right = new SessionStore(driver, options)
      const store = Object.create(right) as SessionStore
      for (const name of Object.getOwnPropertyNames(SessionStore.prototype) as (keyof SessionStore)[])
        if ((name as string) !== 'constructor')
          Object.assign(store, { [name]: (right[name] as (...args: unknown[]) => unknown).bind(right) })
      // The middleware sets it on the store that it was given.
      Object.defineProperty(store, 'generate', {
        get: () => (right as unknown as { generate: unknown }).generate,
        set: (generate) => Object.assign(right, { generate }),
      })
      return Object.assign(store, fault(right, driver, options))
    },
  )
}

it('every rule has an id of its own, and says whom it protects', () => {
  assert.equal(rules.size, policyRules.length + httpRules.length + raceRules.length)
  for (const { id, why } of rules.values()) {
    assert.match(id, /^(store|express|race)\/\S/)
    assert.match(why, /^\S.*\.$/)
  }
})

describe('a fault is found by the rule against it', () => {
  for (const [id, fault] of Object.entries(faults))
    it(id, async () => {
      const rule = rules.get(id)
      assert.ok(rule, 'there is no such rule')
      await check(rule, () => ({}))
      await assert.rejects(check(rule, fault))
    })
})
