/**
 * Makes docs/reliability.md and docs/generated/reliability.json: plays histories on all databases and
 * deployments while faults strike, and soaks the databases if told so. Results that are not made anew
 * stay as they are. Exits with 1 after a violation, where something grows, and where a database did not
 * finish.
 *
 *     npx -y pnpm@12 reliability --help
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { databaseIds } from '@session-stores/testbed/databases'
import { Option } from 'commander'
import { listOption, makeCommand, numberOption, seedOption } from '../command.ts'
import { MUTANTS } from '../histories/mutants.ts'
import { inLanes } from './lanes.ts'
import { toPage } from './page.ts'
import { places } from './places.ts'
import type { ReliabilityResult } from './result.ts'
import { describeRun, playHistories, root, runSoak } from './run.ts'
import { findFailures } from './verdict.ts'

const LANES = Math.ceil(availableParallelism() * 1.5)
const allPlaces = places.map(({ id }) => id)
const options = makeCommand('reliability', 'Makes docs/reliability.md and its figures.')
  .addOption(numberOption('--minutes <minutes>', 'how long all histories take; 0 plays none', 60))
  .addOption(numberOption('--soak <minutes>', 'soaks each database for so long at most'))
  .addOption(
    listOption('--database <id...>', 'a database or deployment', allPlaces).default(allPlaces, 'all'),
  )
  .addOption(seedOption())
  .addOption(numberOption('--lanes <count>', 'how many databases are played on at a time', LANES, 1))
  .addOption(numberOption('--histories <count>', 'how many histories are played together', 200, 1))
  .addOption(numberOption('--faults <count>', 'how many faults strike in a round', 5))
  .option('--page', 'only makes the page anew from its figures')
  .option('--folder <path>', 'the folder of the page', join(root, 'docs'))
  .option('--pages <folder>', 'a folder for a page about each violation')
  .addOption(
    new Option('--mutant <name>', 'a fault of the store that is planted on purpose').choices(MUTANTS),
  )
  .parse()
  .opts<{
    minutes: number
    soak?: number
    database: string[]
    seed: number
    lanes: number
    histories: number
    faults: number
    page?: true
    folder: string
    pages?: string
    mutant?: string
  }>()
const { folder, mutant, pages, seed } = options
mkdirSync(join(folder, 'generated'), { recursive: true })
const json = join(folder, 'generated/reliability.json')
const minutes = options.page ? 0 : options.minutes
const isChosen = (id: string): boolean => options.database.includes(id)

let result: ReliabilityResult = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : {}
const write = (more: ReliabilityResult): void => {
  result = { ...result, ...more }
  writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`)
  writeFileSync(join(folder, 'reliability.md'), toPage(result))
}

if (minutes > 0) {
  const chosen = places.filter(({ id }) => isChosen(id))
  const lanes = Math.min(options.lanes, chosen.length)
  const begin = performance.now()
  const shares = chosen.reduce((sum, place) => sum + place.shares, 0)
  const minutesPerShare = (minutes * lanes) / shares
  const plan = {
    seed,
    together: options.histories,
    faults: options.faults,
    ...(mutant !== undefined && { mutant }),
    ...(pages !== undefined && { pages }),
  }
  console.log(
    `seed ${seed}: ${chosen.length} databases and deployments, ${shares} shares of ${minutesPerShare.toFixed(1)} minutes`,
  )
  const played = await inLanes(chosen, lanes, (place) =>
    playHistories(place, { ...plan, minutes: minutesPerShare * place.shares }),
  )
  const run = await describeRun(seed, (performance.now() - begin) / 1000)
  const before = result.histories
  const isWhole = before === undefined || chosen.length === places.length
  const again = new Map(played.map((place) => [place.database, { ...place, run }]))
  const old = new Map(before?.places.map((place) => [place.database, place]))
  write({
    histories: isWhole
      ? { ...run, together: plan.together, faults: plan.faults, places: played }
      : { ...before, places: places.flatMap(({ id }) => again.get(id) ?? old.get(id) ?? []) },
  })
}
if (options.soak !== undefined && !options.page) {
  const chosen = databaseIds.filter(isChosen)
  const soaked = new Map(result.soak?.databases.map((database) => [database.database, database]))
  // A database and its application take two cores, so one database is soaked after the other.
  for (const id of chosen) {
    const ofDatabase = await runSoak(id, options.soak, seed)
    soaked.set(id, { ...ofDatabase, run: await describeRun(seed, ofDatabase.seconds) })
    write({ soak: { databases: databaseIds.flatMap((database) => soaked.get(database) ?? []) } })
  }
}
write({})
const failures = findFailures(result)
for (const failure of failures) console.error(failure)
process.exitCode = failures.length === 0 ? 0 : 1
