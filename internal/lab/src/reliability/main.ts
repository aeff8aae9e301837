/**
 * Makes docs/reliability.md and docs/generated/reliability.json: plays histories on all databases and
 * deployments while faults strike, and soaks the databases if told so. Results that are not made anew
 * stay as they are. Exits with 1 after a violation, where something grows, and where a database did not
 * finish.
 *
 *     npx -y pnpm@12 reliability [--hours 1 | --minutes 60] [--seed 1] [--database redis] [--lanes 3]
 *         [--histories 200] [--faults 5] [--soak minutes-per-database] [--page] [--folder docs]
 *         [--pages folder] [--mutant 'loses an update']
 *
 * `--minutes 0` plays no histories. `--page` only makes the page anew from its JSON.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { databaseIds } from '@session-stores/testbed/databases'
import { inLanes } from './lanes.ts'
import { toPage } from './page.ts'
import { places } from './places.ts'
import type { ReliabilityResult } from './result.ts'
import { describeRun, playHistories, root, runSoak } from './run.ts'
import { findFailures } from './verdict.ts'

const { values } = parseArgs({
  options: {
    hours: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    database: { type: 'string', multiple: true },
    lanes: { type: 'string', default: `${Math.ceil(availableParallelism() * 1.5)}` },
    histories: { type: 'string', default: '200' },
    faults: { type: 'string', default: '5' },
    soak: { type: 'string' },
    page: { type: 'boolean', default: false },
    folder: { type: 'string', default: join(root, 'docs') },
    mutant: { type: 'string' },
    pages: { type: 'string' },
  },
})
const { folder, mutant, pages } = values
mkdirSync(join(folder, 'generated'), { recursive: true })
const json = join(folder, 'generated/reliability.json')
const seed = Number(values.seed)
const minutes = values.page ? 0 : Number(values.minutes ?? Number(values.hours ?? 1) * 60)
const isChosen = (id: string): boolean => values.database?.includes(id) ?? true

let result: ReliabilityResult = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : {}
const write = (more: ReliabilityResult): void => {
  result = { ...result, ...more }
  writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`)
  writeFileSync(join(folder, 'reliability.md'), toPage(result))
}

if (minutes > 0) {
  const chosen = places.filter(({ id }) => isChosen(id))
  const lanes = Math.min(Number(values.lanes), chosen.length)
  const begin = performance.now()
  const shares = chosen.reduce((sum, place) => sum + place.shares, 0)
  const minutesPerShare = (minutes * lanes) / shares
  const plan = {
    seed,
    together: Number(values.histories),
    faults: Number(values.faults),
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
  write({ histories: { ...run, together: plan.together, faults: plan.faults, places: played } })
}
if (values.soak !== undefined && !values.page) {
  const chosen = databaseIds.filter(isChosen)
  const soaked = new Map(result.soak?.databases.map((database) => [database.database, database]))
  // A database and its application take two cores, so one database is soaked after the other.
  for (const id of chosen) {
    const ofDatabase = await runSoak(id, Number(values.soak), seed)
    soaked.set(id, { ...ofDatabase, run: await describeRun(seed, ofDatabase.seconds) })
    write({ soak: { databases: databaseIds.flatMap((database) => soaked.get(database) ?? []) } })
  }
}
write({})
const failures = findFailures(result)
for (const failure of failures) console.error(failure)
process.exitCode = failures.length === 0 ? 0 : 1
