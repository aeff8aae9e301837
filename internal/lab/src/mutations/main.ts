/**
 * Writes `docs/generated/mutations.md`: how each rule of the suites finds its mutant. Exits with 1
 * if a mutant is not found.
 *
 *     npx -y pnpm@12 mutations
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

/**
 * The message of a rule about its mutant. It is `undefined` if the rule did not find the mutant.
 */
interface Line {
  rule: RuleInfo
  said?: string
}

/** How long to wait for a mutant that does not answer, in milliseconds. */
const DEADLINE = 6000

// The rules run one by one so that an uncaught error can be attributed to the only running rule.
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
/** Returns text for a table cell: one line of limited length, with escaped Markdown. */
function toCell(text: string): string {
  const line = text
    .replace(/Expected values to be strictly (deep-)?equal:/, '')
    .replace('+ actual - expected', '')
    .replaceAll(/\b\d{13}\b/g, 'time')
    .replaceAll(/\s+/g, ' ')
    .trim()
  return (line.length > MOST ? `${line.slice(0, MOST - 1)}…` : line).replaceAll(/[|\\`*_<>[\]]/g, '\\$&')
}

const renderTable = (lines: readonly Line[]): string =>
  [
    '| rule | how it found its mutant |',
    '| --- | --- |',
    ...lines.map(
      ({ rule, said }) => `| \`${rule.id}\` | ${said === undefined ? '**not found**' : toCell(said)} |`,
    ),
  ].join('\n')

const killed = all.length - alive.length
const text = `# The mutants of the suite

Each rule has a mutant: a right store, or a right driver, that is broken in just the way that the rule is about. The rule
must find it, or the build fails. ${killed} of ${all.length} found (${Math.floor((100 * killed) / all.length)}%). Made by \`npx -y pnpm@12 mutations\`.
Below, \`+\` is what the mutant gave and \`-\` what it should have given.

## Rules for any store

Mutants of the reference store, in [\`mutants/\`](../../packages/conformance/test/mutants), by their rules' ids.

${renderTable(ofStores)}

## Rules of the driver contract

Mutants of the reference driver, in [\`mutants/contract/\`](../../packages/driver-suite/test/mutants/contract).

${renderTable(ofDrivers)}
`
writeFileSync(join(import.meta.dirname, '../../../../docs/generated/mutations.md'), text)
for (const { rule } of alive) console.error(`${rule.id} does not find its mutant`)
console.log(`${killed} of ${all.length} mutants found`)
// Some mutants leave connections open.
process.exit(alive.length === 0 ? 0 : 1)
