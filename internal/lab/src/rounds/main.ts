/**
 * Tests faults and races together: two processes use the sessions of one database through a network
 * that loses replies and cuts connections, and no acknowledged change may be undone. Prints a line
 * of JSON for each database. Exits with 1 if a promise was broken.
 *
 *     npx -y pnpm@12 rounds [--database redis] [--rounds 10000] [--seed 1]
 */
import { parseArgs } from 'node:util'
import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { attack, startPlace } from './attack.ts'

const { values } = parseArgs({
  options: {
    database: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '10000' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  },
})
const seed = Number(values.seed)

for (const database of (values.database ?? databaseIds) as DatabaseId[]) {
  await using place = await startPlace(database, seed)
  const outcome = await attack(database, place, Number(values.rounds))
  console.log(JSON.stringify({ database, version: place.version, seed, ...outcome }))
  if (outcome.isBroken) process.exitCode = 1
}
