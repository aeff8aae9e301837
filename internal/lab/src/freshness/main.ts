/**
 * Tests the option `freshness` with two processes on real servers: logouts elsewhere are seen within
 * it, those of the same process at once, no update is lost, and the memory is bounded. Prints a line
 * of JSON for each database. Exits with 1 if a promise was broken.
 *
 *     npx -y pnpm@12 freshness [--database redis] [--logouts 10000] [--sessions 1000000]
 */
import { parseArgs } from 'node:util'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { startPlace } from '../rounds/attack.ts'
import { tryLogouts, tryMemory, trySaves } from './trial.ts'

const { values } = parseArgs({
  options: {
    database: { type: 'string', multiple: true, default: ['redis', 'postgres'] },
    logouts: { type: 'string', default: '10000' },
    sessions: { type: 'string', default: '1000000' },
  },
})

/** How much more than `cacheBytes` the heap may grow: V8 counts objects in other ways than we do. */
const TOLERANCE = 1.5

for (const database of values.database as DatabaseId[]) {
  await using place = await startPlace(database, 1)
  const logouts = await tryLogouts(database, place.direct, Number(values.logouts))
  const saves = await trySaves(database, place.direct, 100, 50)
  const memory =
    Number(values.sessions) > 0
      ? await tryMemory(database, place.direct, Number(values.sessions), 64_000_000)
      : undefined
  console.log(JSON.stringify({ database, ...logouts, ...saves, ...memory }))
  const isTooLarge = memory !== undefined && memory.grownBytes > memory.cacheBytes * TOLERANCE
  if (logouts.tooLate + logouts.own + saves.lost > 0 || logouts.seenAfter === 0 || isTooLarge)
    process.exitCode = 1
}
