/**
 * Faults and races together: two processes use the sessions of one database through a network that loses replies and
 * cuts connections, and nothing that was acknowledged may be undone.
 *
 *     npx -y pnpm@12 rounds [--database redis] [--rounds 10000] [--seed 1]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type FaultyProxy,
  mongoReplicaSet,
  type ProcessServer,
  postgresProcess,
  redisProcess,
  startProxy,
} from '@session-stores/testbed'
import { DATABASES, type Database, openStore } from '../store.ts'
import { Caller } from './process.ts'
import { ended, Faults, playRound } from './round.ts'

/** Milliseconds. */
const OPERATION_TIMEOUT = 2000
/** How many rounds go on at once. */
const AT_ONCE = 24
/** What the network does to the replies: so many in a hundred are lost, and the connection with them. */
const LOSS = { loseReplies: 0.05, cuts: 0.01 }

const { values } = parseArgs({
  options: {
    database: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '10000' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
  },
})
const rounds = Number(values.rounds)
let isBroken = false

for (const database of (values.database ?? DATABASES) as Database[]) await attack(database)
process.exitCode = isBroken ? 1 : 0

/** A server of the database, and a network in front of it; a SQLite file has neither. */
async function serve(
  database: Database,
): Promise<{ direct: string; through: string; stop(): Promise<void> }> {
  if (database === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'rounds-'))
    const path = join(folder, 'sessions.db')
    return { direct: path, through: path, stop: async () => rmSync(folder, { recursive: true }) }
  }
  const server: ProcessServer =
    database === 'redis'
      ? await redisProcess()
      : database === 'postgres'
        ? await postgresProcess()
        : await mongoReplicaSet()
  const proxy: FaultyProxy = await startProxy(server)
  proxy.chaos({ seed: Number(values.seed), ...LOSS })
  const direct = database === 'mongodb' ? `${server.url.split('?')[0]}?directConnection=true` : server.url
  return {
    direct,
    through: proxy.through(direct),
    async stop() {
      await proxy.stop()
      await server.stop()
    },
  }
}

async function attack(database: Database): Promise<void> {
  const { direct, through, stop } = await serve(database)
  const reader = await openStore(database, direct, { pruneInterval: false, operationTimeout: 20_000 })
  await reader.ping()
  const callers = await Promise.all([
    Caller.start(database, through, OPERATION_TIMEOUT),
    Caller.start(database, through, OPERATION_TIMEOUT),
  ])
  const faults = new Faults()
  ended.length = 0
  let next = 0
  const begin = performance.now()
  const lane = async (): Promise<void> => {
    while (next < rounds) {
      await playRound(next++, callers as [Caller, Caller], reader, faults)
      if (next % 1000 === 0) process.stderr.write(`${database}: ${next} rounds\n`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  const seconds = Math.round((performance.now() - begin) / 1000)
  // What was on its way has arrived by now, or never will: the end must still be the end.
  await new Promise((resolve) => setTimeout(resolve, OPERATION_TIMEOUT))
  for (const id of ended) if ((await reader.get(id)) !== null) faults.alive++
  const longest = Math.round(Math.max(...callers.map((caller) => caller.longest)))
  const calls = callers.reduce((sum, caller) => sum + caller.calls, 0)
  const errors: Record<string, number> = {}
  for (const caller of callers)
    for (const [code, count] of Object.entries(caller.errors)) errors[code] = (errors[code] ?? 0) + count
  const isLate = longest > OPERATION_TIMEOUT + 250
  isBroken ||= faults.alive + faults.lost + faults.back > 0 || isLate
  console.log(
    JSON.stringify({
      database,
      seed: Number(values.seed),
      rounds,
      seconds,
      calls,
      errors,
      ended: ended.length,
      longest,
      ...faults,
    }),
  )
  for (const caller of callers) caller.stop()
  await reader.close()
  await stop()
}
