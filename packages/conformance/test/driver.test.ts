import assert from 'node:assert/strict'
import { driverSuite } from '@session-stores/conformance'
import { memoryDriver } from '@session-stores/core'
import { afterAll, beforeAll, describe, it, vi } from 'vitest'
import { decidesWrongly, type Mutant, mutants } from './mutants.ts'
import { variants } from './variants.ts'

/** The rules of the suite, by id, on drivers with a fault. */
function rules(mutant: Mutant): Map<string, () => Promise<void>> {
  const found = new Map<string, () => Promise<void>>()
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it(id: string, body: () => Promise<void>) {
      assert.ok(!found.has(id), `${id} is there twice`)
      found.set(id, body)
    },
  }
  driverSuite(runner, () => {
    const driver = memoryDriver()
    const faulty = () => ({ ...driver, ...mutant(driver) })
    return { drivers: [faulty(), faulty()] }
  })
  return found
}

const faults = new Map(Object.entries(mutants).map(([id, mutant]) => [`driver/${id}`, mutant]))
const ids = [...rules(() => ({})).keys()]
for (const id of ids) {
  const [, verb, verdict, state] = /^driver\/(\w+)-(lands-on|refuses)-(.+)$/.exec(id) ?? []
  if (verb && state) faults.set(id, decidesWrongly(verb, state, verdict === 'lands-on'))
}

async function assertKills(id: string, mutant: Mutant): Promise<void> {
  await assert.rejects(rules(mutant).get(id)!(), ({ message }: Error) => {
    assert.match(message, /\n\nWhy it matters: \S/, 'failed outside of the rule')
    return true
  })
}

describe('a fault is found by the rule against it', () => {
  it('each rule has a fault to find, and each fault its rule', () => {
    assert.deepEqual([...faults.keys()].sort(), ids.toSorted())
  })
  for (const [id, mutant] of faults) it(id, () => assertKills(id, mutant))
})

describe('what the contract leaves open is no fault', () => {
  for (const [name, variant] of Object.entries(variants))
    describe(name, () => {
      for (const [id, check] of rules(variant)) it(id, check)
    })
})

describe('the comparison with the reference driver finds by itself', () => {
  beforeAll(() => void vi.stubEnv('SESSION_STORES_SEED', '1'))
  afterAll(() => void vi.unstubAllEnvs())
  const named =
    /^driver\/(created-at|user-follows|deadline-follows|.*past-its-deadline|tombstone-(without|ends)|touch-(moves|into|of-a|leaves)|update-lands|count-counts|prune-never)/
  const decided = /-(lands-on|refuses)-/
  // Only the rules' own writes know that tag; to these three verbs it is like any other.
  const alike = /(upsert|create|tombstone)-.*-session-with-expected-tag$/
  for (const [id, mutant] of faults)
    if ((named.test(id) || decided.test(id)) && !alike.test(id))
      it(id, () => assertKills('driver/agrees-with-the-reference-driver', mutant))
})
