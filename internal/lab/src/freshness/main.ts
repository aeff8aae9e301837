/**
 * Tests the option `freshness` with two processes on real servers: logouts elsewhere are seen within
 * it, those of the same process at once, no update is lost, and the memory is bounded. Prints a line
 * of JSON for each database.
 *
 *     npx -y pnpm@12 freshness --help
 */
import { type ServerDatabaseId, serverDatabaseIds } from '@session-stores/testbed/databases'
import { listOption, makeCommand, numberOption } from '../command.ts'
import { startPlace } from '../rounds/attack.ts'
import { tryLogouts, tryMemory, trySaves } from './trial.ts'

const options = makeCommand('freshness', 'Tests the option `freshness` with two processes on real servers.')
  .addOption(listOption('--database <id...>', 'a database', serverDatabaseIds).default(['redis', 'postgres']))
  .addOption(numberOption('--logouts <count>', 'how many logouts another process has to see', 10_000, 1))
  .addOption(numberOption('--sessions <count>', 'how many sessions are kept in memory', 1_000_000))
  .parse()
  .opts<{ database: ServerDatabaseId[]; logouts: number; sessions: number }>()

/** How much more than `cacheBytes` the heap may grow: V8 counts objects in other ways than we do. */
const TOLERANCE = 1.5

for (const database of options.database) {
  await using place = await startPlace(database, 1)
  const logouts = await tryLogouts(database, place.direct, options.logouts)
  const saves = await trySaves(database, place.direct, 100, 50)
  const memory =
    options.sessions > 0 ? await tryMemory(database, place.direct, options.sessions, 64_000_000) : undefined
  console.log(JSON.stringify({ database, ...logouts, ...saves, ...memory }))
  const isTooLarge = memory !== undefined && memory.grownBytes > memory.cacheBytes * TOLERANCE
  if (logouts.tooLate + logouts.own + saves.lost > 0 || logouts.seenAfter === 0 || isTooLarge)
    process.exitCode = 1
}
