/**
 * Moves many sessions from each store that `@session-stores/legacy` reads: written by the real
 * packages, in their oldest and newest versions, moved at their requests and by a command that is
 * killed in the middle. Then plays logouts beside moves, while a process still runs with the old
 * package. Prints a line of JSON for each part.
 *
 *     npx -y pnpm@12 migrations --help
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mongoProcess, postgresProcess, redisProcess } from '@session-stores/testbed'
import { moveByCommand, moveLazily } from '../../../../packages/legacy/test/support/bulk.ts'
import {
  type FormatId,
  formatIds,
  formats,
  type Place,
} from '../../../../packages/legacy/test/support/places.ts'
import { playRounds } from '../../../../packages/legacy/test/support/rounds.ts'
import { listOption, makeCommand, numberOption, seedOption } from '../command.ts'

const {
  format: chosen,
  sessions,
  rounds,
  seed,
} = makeCommand('migrations', 'Moves sessions from each store that @session-stores/legacy reads.')
  .addOption(listOption('--format <id...>', 'the format of a store', formatIds).default(formatIds, 'all'))
  .addOption(numberOption('--sessions <count>', 'how many sessions are moved', 100_000, 1))
  .addOption(numberOption('--rounds <count>', 'how many logouts are played beside moves', 10_000, 1))
  .addOption(seedOption())
  .parse()
  .opts<{ format: FormatId[]; sessions: number; rounds: number; seed: number }>()

/** Kruptein derives a key for each row, which takes 20 ms of a core. */
const countOf = (format: FormatId): number =>
  format.endsWith('kruptein') ? Math.min(sessions, 1000) : sessions

interface Server extends AsyncDisposable {
  version: string
  url: string
}

function startServer(format: FormatId): Promise<Server> | Server {
  switch (formats[format]) {
    case 'redis':
      return redisProcess()
    case 'postgres':
      return postgresProcess()
    case 'mongodb':
      return mongoProcess()
    case 'sqlite': {
      const folder = mkdtempSync(join(process.env.SESSION_STORES_SERVER_FOLDER ?? tmpdir(), 'migrations-'))
      return {
        version: 'sqlite',
        url: join(folder, 'sessions.db'),
        [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
      }
    }
  }
}

function report(format: FormatId, part: string, outcome: object, isBroken: boolean): void {
  console.log(JSON.stringify({ format, part, ...outcome }))
  if (isBroken) process.exitCode = 1
}

for (const format of chosen) {
  const makePlace = (url: string): Place => ({ format, url, namespace: `n${randomBytes(6).toString('hex')}` })
  {
    await using server = await startServer(format)
    const outcome = await moveLazily(makePlace(server.url), countOf(format))
    report(format, 'at requests', outcome, outcome.lost > 0 || outcome.drift > 1000)
  }
  {
    await using server = await startServer(format)
    const outcome = await moveByCommand(makePlace(server.url), countOf(format), 2)
    const isBroken =
      outcome.lost > 0 || outcome.drift > 1000 || outcome.second.moved > 0 || outcome.kills === 0
    report(format, 'by command', outcome, isBroken)
  }
  {
    await using server = await startServer(format)
    const outcome = await playRounds(makePlace(server.url), format.endsWith('kruptein') ? 200 : rounds, seed)
    report(format, 'logouts', { seed, ...outcome }, outcome.revived > 0 || outcome.moved === 0)
  }
}
