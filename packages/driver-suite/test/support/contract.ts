import { memoryDriver } from '@session-stores/core'
import { contractRules, type Deployment, driverSuite } from '@session-stores/driver-suite'
import { decideWrongly } from '../mutants/contract/decide.ts'
import type { Mutant } from '../mutants/contract/helpers.ts'
import { mutants as known } from '../mutants/contract/index.ts'
import { collectTests } from './runner.ts'

let places = 0

/** Returns the contract tests by the ids of their rules, to be run on this mutant. */
export function checksOn(mutant: Mutant): Map<string, () => Promise<void>> {
  const make = (): Deployment => {
    const driver = { ...memoryDriver(), place: `memory-${++places}` }
    const mutate = () => ({ ...driver, ...mutant(driver) })
    return { drivers: [mutate(), mutate()] }
  }
  return collectTests((runner) => driverSuite(runner, make, { only: ['contract'] }))
}

/** All mutants, by the id of the rule that must find each of them. */
export const mutants: Map<string, Mutant> = new Map(Object.entries(known))
for (const { id } of contractRules) {
  const [, verb, verdict, state] =
    /^contract\/decide\/([\w-]+?)-(lands-on|refuses|has-landed-on)-(.+)$/.exec(id) ?? []
  if (verb && state) mutants.set(id, decideWrongly(verb, state, verdict === 'lands-on'))
}
