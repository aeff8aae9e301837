import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startProxy } from '@session-stores/testbed'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { startServer, toDirectUrl } from '../servers.ts'
import { openStore } from '../store.ts'
import { Caller } from './process.ts'
import { Faults, playRound } from './round.ts'

/** The `operationTimeout` of the attacked stores, in milliseconds. */
const OPERATION_TIMEOUT = 2000
/** How much later than `operationTimeout` a call may be answered, in milliseconds. */
const TOLERANCE = 250
/** The number of concurrent rounds. */
const AT_ONCE = 24
/**
 * The faults of the network: rates of lost replies, each with its connection, and of cut messages.
 */
const NETWORK = { loseReplies: 0.05, cuts: 0.01 }

/** A database and two URLs for it. */
export interface Place extends AsyncDisposable {
  readonly version: string
  readonly source: 'path' | 'fetched'
  /** The URL that bypasses the faulty network. */
  readonly direct: string
  readonly through: string
}

export interface Outcome extends Faults {
  rounds: number
  seconds: number
  calls: number
  /** The number of failed calls by error code. */
  errors: Record<string, number>
  /** The number of sessions whose end was acknowledged. */
  ended: number
  /** The duration of the longest call, in milliseconds. */
  longest: number
  /** Whether a promise was broken. */
  isBroken: boolean
}

/**
 * Starts a server behind a faulty network. A SQLite file has neither.
 * @throws SERVER_UNAVAILABLE
 */
export async function startPlace(database: DatabaseId, seed: number): Promise<Place> {
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
  const server = await startServer(database)
  const proxy = await startProxy(server)
  proxy.chaos({ seed, ...NETWORK })
  const direct = toDirectUrl(database, server)
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

/** Plays rounds on the database with two processes, and counts broken promises. */
export async function attack(
  database: DatabaseId,
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
    // Everything in transit has arrived by then or never will. Ended sessions must still be ended.
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
