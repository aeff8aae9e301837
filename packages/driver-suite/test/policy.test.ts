import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { memoryDriver, SessionStore } from '@session-stores/core'
import { afterAll, beforeAll, describe, it, vi } from 'vitest'
import { httpRules } from '../src/http/index.ts'
import { type StoreRule, withStores } from '../src/policy/fixture.ts'
import { policyRules } from '../src/policy/index.ts'
import { raceRules } from '../src/race/index.ts'
import type { Mutant } from './mutants/policy/helpers.ts'
import { mutants } from './mutants/policy/index.ts'

const rules = new Map([...policyRules, ...httpRules, ...raceRules].map((rule) => [rule.id, rule]))

function checkOnMutant(rule: StoreRule, mutant: Mutant): Promise<void> {
  const memory = memoryDriver()
  const make = () => ({ drivers: [memory, memory] as const })
  return withStores(
    make,
    async (stores) => rule.check(stores),
    (driver, options, formats) => {
      const right = new SessionStore(driver, options, formats)
      const store = Object.create(right) as SessionStore
      for (const name of Object.getOwnPropertyNames(SessionStore.prototype) as (keyof SessionStore)[])
        if ((name as string) !== 'constructor')
          Object.assign(store, { [name]: (right[name] as (...args: unknown[]) => unknown).bind(right) })
      // The middleware sets `generate` on the mutant, but the store calls its own.
      Object.defineProperty(store, 'generate', {
        get: () => (right as unknown as { generate: unknown }).generate,
        set: (generate) => Object.assign(right, { generate }),
      })
      return Object.assign(store, mutant(right, driver, options, formats))
    },
  )
}

it('every rule has an id of its own and a reason', () => {
  assert.equal(rules.size, policyRules.length + httpRules.length + raceRules.length)
  for (const { id, why } of rules.values()) {
    assert.match(id, /^(policy|http|race)\/[a-z-]+\/\S/)
    assert.match(why, /^\S.*\.$/)
  }
})

it.each(['contract', 'policy', 'http', 'race'])(
  'in %s, the rule ids of a file begin with its path',
  async (folder) => {
    const path = join(import.meta.dirname, '../src', folder)
    for (const file of readdirSync(path).filter((name) => !/^(index|fixture|process)\.ts$/.test(name))) {
      const exported = Object.values((await import(join(path, file))) as Record<string, unknown>).flat()
      for (const { id } of exported.filter(isRule))
        assert.ok(id.startsWith(`${folder}/${file.replace('.ts', '')}/`), `${id} is in ${file}`)
    }
  },
)

const isRule = (value: unknown): value is { id: string } =>
  typeof (value as { check?: unknown } | undefined)?.check === 'function'

describe('each mutant is found by its rule', () => {
  // A rule of random calls may miss a mutant by chance. With one seed it makes the same calls each time.
  beforeAll(() => void vi.stubEnv('SESSION_STORES_SEED', '1'))
  afterAll(() => void vi.unstubAllEnvs())
  for (const [id, mutant] of Object.entries(mutants))
    it(id, async () => {
      const rule = rules.get(id)
      assert.ok(rule, 'there is no such rule')
      await checkOnMutant(rule, () => ({}))
      await assert.rejects(checkOnMutant(rule, mutant))
    })
})
