import { contractSuite } from './contract/index.ts'
import type { MakeDeployment } from './deployment.ts'
import { httpSuite } from './http/index.ts'
import { policySuite } from './policy/index.ts'
import { processRaceSuite, raceSuite } from './race/index.ts'
import { conformanceSuite } from './rules.ts'
import type { Runner } from './runner.ts'

type Suite = (runner: Runner, make: MakeDeployment) => void

const parts: Readonly<Record<Part, Suite>> = {
  contract: contractSuite,
  policy: policySuite,
  http: httpSuite,
  races: raceSuite,
  'process-races': processRaceSuite,
  conformance: conformanceSuite,
}

/**
 * A part of the suite.
 *
 * - `contract`: the clauses of the `Driver` interface of `@session-stores/core`, checked by direct
 *   calls.
 * - `policy`: what the stores of core promise, with this driver.
 * - `http`: what express-session does with such a store, over HTTP.
 * - `races`: requests that race for one session, thousands of times.
 * - `process-races`: the same between two processes. It requires `remote` in the deployment.
 * - `conformance`: every rule of `@session-stores/conformance`, on stores with this driver.
 */
export type Part = 'contract' | 'policy' | 'http' | 'races' | 'process-races' | 'conformance'

/** Options of `driverSuite`. */
export interface DriverSuiteOptions {
  /**
   * The parts to run.
   *
   * @default all parts
   */
  only?: readonly Part[]
}

/**
 * Declares a test for each rule that a driver, and the stores on it, must keep. Call it once in a
 * test file.
 *
 * @param runner `describe` and `it` of vitest, node:test or mocha.
 * @param make Makes two drivers on a new empty place; see `Deployment`.
 * @throws TypeError when `only` contains the name of no part.
 * @example
 * driverSuite({ describe, it }, () => {
 *   const table = newTable()
 *   return { drivers: [myDriver({ table }), myDriver({ table })], dispose: () => drop(table) }
 * })
 */
export function driverSuite(runner: Runner, make: MakeDeployment, { only }: DriverSuiteOptions = {}): void {
  const names = only ?? (Object.keys(parts) as Part[])
  const unknown = names.find((name) => !Object.hasOwn(parts, name))
  if (unknown !== undefined)
    throw new TypeError(`option 'only' accepts ${Object.keys(parts).join(', ')}, but not '${unknown}'`)
  for (const name of names) parts[name](runner, make)
}
