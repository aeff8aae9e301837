/**
 * Soaks each database with the requests of an application, and looks for what grows: memory, handles,
 * listeners, rows.
 *
 *     npx -y pnpm@12 soak --help
 */
import { writeFileSync } from 'node:fs'
import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { Option } from 'commander'
import { listOption, makeCommand, numberOption, seedOption } from '../command.ts'
import { LEAKS, type Leak } from './leaks.ts'
import { growing, type SoakResult } from './result.ts'
import { soak } from './soak.ts'

const options = makeCommand('soak', 'Soaks each database with requests, and looks for what grows.')
  .addOption(listOption('--database <id...>', 'a database', databaseIds).default(databaseIds, 'all'))
  .addOption(numberOption('--minutes <minutes>', 'how long each soak takes at most', 25))
  .addOption(numberOption('--requests <count>', 'after how many requests a soak ends', 10_000_000, 1))
  .addOption(seedOption())
  .addOption(new Option('--leak <name>', 'a leak that is planted on purpose').choices(LEAKS))
  .option('--json <file>', 'a file for the results')
  .parse()
  .opts<{
    database: DatabaseId[]
    minutes: number
    requests: number
    seed: number
    leak?: Leak
    json?: string
  }>()
const results: SoakResult[] = []
for (const database of options.database) {
  const result = await soak(database, {
    seed: options.seed,
    milliseconds: options.minutes * 60_000,
    requests: options.requests,
    leak: options.leak,
  })
  results.push(result)
  const { measures, ...rest } = result
  console.log(JSON.stringify(rest))
  console.table(measures)
}
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`)
// Node 24 may wait forever for the handles of killed servers.
process.exit(results.some((result) => growing(result.measures).length > 0) ? 1 : 0)
