/**
 * Tests faults and races together: two processes use the sessions of one database through a network
 * that loses replies and cuts connections, and no acknowledged change may be undone. Prints a line
 * of JSON for each database.
 *
 *     npx -y pnpm@12 rounds --help
 */
import { type DatabaseId, databaseIds } from '@session-stores/testbed/databases'
import { listOption, makeCommand, numberOption, seedOption } from '../command.ts'
import { attack, startPlace } from './attack.ts'

const {
  database: chosen,
  rounds,
  seed,
} = makeCommand(
  'rounds',
  'Tests faults and races together: two processes use the sessions of one database through a bad network.',
)
  .addOption(listOption('--database <id...>', 'a database', databaseIds).default(databaseIds, 'all'))
  .addOption(numberOption('--rounds <count>', 'how many rounds are played on each database', 10_000, 1))
  .addOption(seedOption())
  .parse()
  .opts<{ database: DatabaseId[]; rounds: number; seed: number }>()

for (const database of chosen) {
  await using place = await startPlace(database, seed)
  const outcome = await attack(database, place, rounds)
  console.log(JSON.stringify({ database, version: place.version, seed, ...outcome }))
  if (outcome.isBroken) process.exitCode = 1
}
