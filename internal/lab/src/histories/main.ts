/**
 * Records histories of several processes on each database while faults strike, and checks whether an
 * order of the calls explains all answers. Prints a line for each round. Exits with 1 after a violation.
 *
 *     npx -y pnpm@12 histories [--database redis-sentinel] [--seed 1] [--minutes 5] [--rounds 10]
 *         [--histories 20] [--faults 5] [--fault FLUSHALL] [--mutant 'loses an update'] [--json file]
 *         [--old <tag or commit>] [--formats]
 *
 * With --old, one of three processes has the packages of that version. With --formats, the processes have
 * one format more than was released: one writes the old one, and two write the new one.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { databaseIds } from '@session-stores/testbed/databases'
import { checkOut } from '../upgrades/checkout.ts'
import { ROLLING } from '../upgrades/store.ts'
import { type AnyId, startAny } from './deployments/index.ts'
import { Lab } from './lab.ts'
import type { Mutant } from './mutants.ts'
import { Tally, toTable } from './tally.ts'

const { values } = parseArgs({
  options: {
    database: { type: 'string', multiple: true },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    minutes: { type: 'string' },
    rounds: { type: 'string', default: '10' },
    histories: { type: 'string', default: '20' },
    faults: { type: 'string', default: '5' },
    mutant: { type: 'string' },
    fault: { type: 'string', multiple: true },
    pages: { type: 'string' },
    json: { type: 'string' },
    old: { type: 'string' },
    formats: { type: 'boolean', default: false },
  },
})
const databases = (values.database ?? databaseIds) as AnyId[]
const limit = values.minutes === undefined ? Number.POSITIVE_INFINITY : Number(values.minutes) * 60_000
const rounds = values.minutes === undefined ? Number(values.rounds) : Number.POSITIVE_INFINITY
const tallies: Tally[] = []
const old = values.old === undefined ? undefined : await checkOut(values.old)
if (values.pages !== undefined) mkdirSync(values.pages, { recursive: true })
const versions = old ? [{ checkout: old.folder }] : values.formats ? ROLLING : []

for (const database of databases) {
  await using place = await startAny(database)
  await using lab = await Lab.start(place, versions)
  const tally = new Tally(database, place.version)
  tallies.push(tally)
  const begin = performance.now()
  for (let i = 0; i < rounds && performance.now() - begin < limit / databases.length; i++) {
    const seed = Number(values.seed) + i
    // In an outage of seconds so many calls go without an answer that no order of more would be found.
    const most = 'deployment' in place ? 8 : Number.POSITIVE_INFINITY
    const histories = Math.min(Number(values.histories), most)
    const mutants = values.mutant === undefined ? {} : { mutants: [values.mutant as Mutant] }
    const options = { seed, histories, faults: Number(values.faults), only: values.fault, ...mutants }
    const round = await lab.play(options, values.pages)
    tally.add(round)
    console.log(JSON.stringify({ database, ...round }))
  }
}
console.log(toTable(tallies))
if (values.json) writeFileSync(values.json, `${JSON.stringify(tallies, null, 2)}\n`)
await old?.[Symbol.asyncDispose]()
// Node 24 may wait forever for the handles of killed servers.
process.exit(tallies.some(({ violations }) => violations.length > 0) ? 1 : 0)
