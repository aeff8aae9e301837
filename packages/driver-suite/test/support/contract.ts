import assert from 'node:assert/strict'
import { memoryDriver } from '@session-stores/core'
import { contractRules, type Deployment, driverSuite } from '@session-stores/driver-suite'
import { decidesWrongly } from '../mutants/contract/decide.ts'
import type { Mutant } from '../mutants/contract/helpers.ts'
import { mutants as known } from '../mutants/contract/index.ts'

let places = 0

/** The checks of the suite, by their rules' ids, on drivers with a fault. */
export function checksOn(mutant: Mutant): Map<string, () => Promise<void>> {
  const found = new Map<string, () => Promise<void>>()
  const runner = {
    describe: (_: string, body: () => void) => body(),
    it(id: string, body: () => Promise<void>) {
      assert.ok(!found.has(id), `${id} is there twice`)
      found.set(id, body)
    },
  }
  const make = (): Deployment => {
    const driver = { ...memoryDriver(), place: `memory-${++places}` }
    const faulty = () => ({ ...driver, ...mutant(driver) })
    return { drivers: [faulty(), faulty()] }
  }
  driverSuite(runner, make, { only: ['contract'] })
  return found
}

/** Drivers that are broken in one way each, by the id of the rule that must find it. */
export const mutants: Map<string, Mutant> = new Map(Object.entries(known))
for (const { id } of contractRules) {
  const [, verb, verdict, state] =
    /^contract\/decide\/([\w-]+?)-(lands-on|refuses|has-landed-on)-(.+)$/.exec(id) ?? []
  if (verb && state) mutants.set(id, decidesWrongly(verb, state, verdict === 'lands-on'))
}
