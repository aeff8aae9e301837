/**
 * Records histories of several processes on each database while faults strike, and checks whether an
 * order of the calls explains all answers. Prints a line for each round.
 *
 *     npx -y pnpm@12 histories --help
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { databaseIds } from '@session-stores/testbed/databases'
import { Option } from 'commander'
import { listOption, makeCommand, numberOption, seedOption } from '../command.ts'
import { checkOut } from '../upgrades/checkout.ts'
import { ROLLING } from '../upgrades/store.ts'
import { type AnyId, deploymentIds, startAny } from './deployments/index.ts'
import { Lab } from './lab.ts'
import { MUTANTS, type Mutant } from './mutants.ts'
import { Tally, toTable } from './tally.ts'

const given = makeCommand('histories', 'Records histories while faults strike, and checks them.')
  .addOption(
    listOption('--database <id...>', 'a database or deployment', [...databaseIds, ...deploymentIds]).default(
      databaseIds,
      'the databases',
    ),
  )
  .addOption(seedOption())
  .addOption(numberOption('--minutes <minutes>', 'how long all histories take, in place of --rounds'))
  .addOption(numberOption('--rounds <count>', 'how many rounds are played on each database', 10, 1))
  .addOption(numberOption('--histories <count>', 'how many histories are played together', 20, 1))
  .addOption(numberOption('--faults <count>', 'how many faults strike in a round', 5))
  .option('--fault <name...>', 'the faults that strike, instead of all; repeatable')
  .addOption(
    new Option('--mutant <name>', 'a fault of the store that is planted on purpose').choices(MUTANTS),
  )
  .option('--pages <folder>', 'a folder for a page about each violation')
  .option('--json <file>', 'a file for the results')
  .option('--old <version>', 'a tag or commit: one of three processes has the packages of that version')
  .option('--formats', 'two of three processes write one format more than was released')
  .parse()
  .opts<{
    database: AnyId[]
    seed: number
    minutes?: number
    rounds: number
    histories: number
    faults: number
    fault?: string[]
    mutant?: Mutant
    pages?: string
    json?: string
    old?: string
    formats?: true
  }>()
const { database: databases, minutes, pages } = given
const limit = minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000
const rounds = minutes === undefined ? given.rounds : Number.POSITIVE_INFINITY
const tallies: Tally[] = []
const old = given.old === undefined ? undefined : await checkOut(given.old)
if (pages !== undefined) mkdirSync(pages, { recursive: true })
const versions = old ? [{ checkout: old.folder }] : given.formats ? ROLLING : []

for (const database of databases) {
  await using place = await startAny(database)
  await using lab = await Lab.start(place, versions)
  const tally = new Tally(database, place.version)
  tallies.push(tally)
  const begin = performance.now()
  for (let i = 0; i < rounds && performance.now() - begin < limit / databases.length; i++) {
    const seed = given.seed + i
    // In an outage of seconds so many calls go without an answer that no order of more would be found.
    const most = 'deployment' in place ? 8 : Number.POSITIVE_INFINITY
    const histories = Math.min(given.histories, most)
    const mutants = given.mutant === undefined ? {} : { mutants: [given.mutant] }
    const options = { seed, histories, faults: given.faults, only: given.fault, ...mutants }
    const round = await lab.play(options, pages)
    tally.add(round)
    console.log(JSON.stringify({ database, ...round }))
  }
}
console.log(toTable(tallies))
if (given.json) writeFileSync(given.json, `${JSON.stringify(tallies, null, 2)}\n`)
await old?.[Symbol.asyncDispose]()
// Node 24 may wait forever for the handles of killed servers.
process.exit(tallies.some(({ violations }) => violations.length > 0) ? 1 : 0)
