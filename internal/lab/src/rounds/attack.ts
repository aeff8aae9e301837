import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { mongoReplicaSet, postgresProcess, redisProcess, startProxy } from '@session-stores/testbed'
import { type Database, openStore } from '../store.ts'
import { Caller } from './process.ts'
import { Faults, playRound } from './round.ts'

/** The `operationTimeout` of the attacked stores, in milliseconds. */
const OPERATION_TIMEOUT = 2000
/** How much later than that a call may be answered, in milliseconds. */
const TOLERANCE = 250
/** How many rounds go on at once. */
const AT_ONCE = 24
/** What the network does: so many in a hundred answers are lost, and the connection with them; others are cut short. */
const NETWORK = { loseReplies: 0.05, cuts: 0.01 }

/** A database, and two ways to it. */
export interface Place extends AsyncDisposable {
  readonly version: string
  readonly source: 'path' | 'fetched'
  /** Past the network that has faults. */
  readonly direct: string
  readonly through: string
}

export interface Outcome extends Faults {
  rounds: number
  seconds: number
  calls: number
  /** How often calls failed, by the code of the error. */
  errors: Record<string, number>
  /** How many sessions were ended, with an acknowledgement. */
  ended: number
  /** The longest call, in milliseconds. */
  longest: number
  /** Whether anything is not as it was promised. */
  isBroken: boolean
}

const servers = {
  redis: () => redisProcess(),
  postgres: () => postgresProcess(),
  mongodb: () => mongoReplicaSet(),
} as const

/** A server, with a faulty network in front of it; a SQLite file has neither. Throws `ServerUnavailableError`. */
export async function startPlace(database: Database, seed: number): Promise<Place> {
  if (database === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'rounds-'))
    const path = join(folder, 'sessions.db')
    return {
      version: 'sqlite',
      source: 'path',
      direct: path,
      through: path,
      [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
    }
  }
  const server = await servers[database]()
  const proxy = await startProxy(server)
  proxy.chaos({ seed, ...NETWORK })
  // This one server, and not the set that it names, whose address leads past the proxy.
  const direct = database === 'mongodb' ? `${server.url.split('?')[0]}?directConnection=true` : server.url
  return {
    version: server.version,
    source: server.source,
    direct,
    through: proxy.through(direct),
    async [Symbol.asyncDispose]() {
      await proxy.stop()
      await server.stop()
    },
  }
}

/** Plays so many rounds on the database, by two processes, and counts what is not as it was promised. */
export async function attack(
  database: Database,
  { direct, through }: Pick<Place, 'direct' | 'through'>,
  rounds: number,
): Promise<Outcome> {
  const reader = await openStore(database, direct, { pruneInterval: false, operationTimeout: 20_000 })
  const callers: Caller[] = []
  try {
    await reader.ping()
    for (let i = 0; i < 2; i++) callers.push(await Caller.start(database, through, OPERATION_TIMEOUT))
    const faults = new Faults()
    const ended: string[] = []
    let next = 0
    const begin = performance.now()
    const lane = async (): Promise<void> => {
      while (next < rounds) await playRound(next++, callers as [Caller, Caller], reader, faults, ended)
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, rounds) }, lane))
    const seconds = Math.round((performance.now() - begin) / 1000)
    // What was on its way has arrived by then, or never will: the end must still be the end.
    await pause(OPERATION_TIMEOUT)
    for (const id of ended) if ((await reader.get(id)) !== null) faults.alive++
    const errors: Record<string, number> = {}
    for (const caller of callers)
      for (const [code, count] of Object.entries(caller.errors)) errors[code] = (errors[code] ?? 0) + count
    const longest = Math.round(Math.max(...callers.map((caller) => caller.longest)))
    const isBroken =
      faults.alive + faults.lost + faults.back > 0 ||
      longest > OPERATION_TIMEOUT + TOLERANCE ||
      ended.length === 0
    const calls = callers.reduce((sum, caller) => sum + caller.calls, 0)
    return { rounds, seconds, calls, errors, ended: ended.length, longest, ...faults, isBroken }
  } finally {
    for (const caller of callers) caller.stop()
    await reader.close()
  }
}
