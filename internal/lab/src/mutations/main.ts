/**
 * Makes `docs/generated/mutations.md`: how each rule of the suite finds the store, or the driver, that is broken against it.
 * Ends with 1 if one is not found. `npx -y pnpm@12 mutations`
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RuleInfo, rules, run } from '@session-stores/conformance'
import { contractRules } from '@session-stores/driver-suite'
import { mutants } from '../../../../packages/conformance/test/mutants/index.ts'
import { reference } from '../../../../packages/conformance/test/support/reference.ts'
import {
  checksOn,
  mutants as driverMutants,
} from '../../../../packages/driver-suite/test/support/contract.ts'

/** What a rule said of its mutant; `undefined`: it found nothing. */
interface Line {
  rule: RuleInfo
  said?: string
}

/** Milliseconds that a mutant which answers nothing is waited for. */
const DEADLINE = 6000

// One after the other: an error that nobody catches is then of the only one that runs.
const ofStores: Line[] = []
for (const rule of rules) {
  const mutant = mutants[rule.id]
  const [result] = mutant ? await run(reference(mutant), [rule], { deadline: DEADLINE }) : []
  ofStores.push({ rule, said: result?.outcome === 'failed' ? result.reason : undefined })
}

const ofDrivers: Line[] = []
for (const rule of contractRules) {
  const mutant = driverMutants.get(rule.id)
  const said = await checksOn(mutant ?? (() => ({}))).get(rule.id)!().then(
    () => undefined,
    (error: Error) => error.message.split('\n\nWhy it matters:')[0],
  )
  ofDrivers.push({ rule, said })
}

const all = [...ofStores, ...ofDrivers]
const alive = all.filter(({ said }) => said === undefined)

const MOST = 160
/** In a cell: one line, as it is, not too long. */
function cell(text: string): string {
  const line = text
    .replace(/Expected values to be strictly (deep-)?equal:/, '')
    .replace('+ actual - expected', '')
    .replaceAll(/\b\d{13}\b/g, 'time')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return (line.length > MOST ? `${line.slice(0, MOST - 1)}…` : line).replaceAll(/[|\\`*_<>[\]]/g, '\\$&')
}

const table = (lines: readonly Line[]): string =>
  [
    '| rule | how it found its mutant |',
    '| --- | --- |',
    ...lines.map(
      ({ rule, said }) => `| \`${rule.id}\` | ${said === undefined ? '**not found**' : cell(said)} |`,
    ),
  ].join('\n')

const killed = all.length - alive.length
const text = `# The mutants of the suite

Each rule has a mutant: a right store, or a right driver, that is broken in just the way that the rule is about. The rule
must find it, or the build fails. ${killed} of ${all.length} found (${Math.floor((100 * killed) / all.length)}%). Made by \`npx -y pnpm@12 mutations\`.
Below, \`+\` is what the mutant gave and \`-\` what it should have given.

## Rules for any store

Mutants of the reference store, in [\`mutants/\`](../../packages/conformance/test/mutants), by their rules' ids.

${table(ofStores)}

## Rules of the driver contract

Mutants of the reference driver, in [\`mutants/contract/\`](../../packages/driver-suite/test/mutants/contract).

${table(ofDrivers)}
`
writeFileSync(join(import.meta.dirname, '../../../../docs/generated/mutations.md'), text)
for (const { rule } of alive) console.error(`${rule.id} does not find its mutant`)
console.log(`${killed} of ${all.length} mutants found`)
// Some mutants leave what they opened.
process.exit(alive.length === 0 ? 0 : 1)
