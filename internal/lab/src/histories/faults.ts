import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Redis } from 'ioredis'
import type { Place } from './place.ts'

/** What a fault may lose, see `Verb`. */
type Loss = 'flush' | 'crash' | 'failover' | 'split' | 'join'

/** What a fault can disturb. */
export interface Scene {
  readonly place: Place
  readonly random: () => number
  /** The number of the application's processes. */
  readonly processes: number
  /** Kills a process of the application, and starts it again. */
  restart(process: number): Promise<void>
  /** Stops a process of the application, or lets it go on. */
  setPaused(process: number, isPaused: boolean): void
  /** Runs what removes everything (`flush`), what was not acknowledged (`crash`) or more, and notes that. */
  lose(what: Loss, act: () => Promise<unknown>): Promise<void>
}

/** Strikes, and mends what it broke. */
export type Fault = (scene: Scene) => Promise<void>

/** Pauses between these two numbers of milliseconds. */
const rest = ({ random }: Scene, least: number, most: number): Promise<void> =>
  pause(least + random() * (most - least))

const ofProcesses: Readonly<Record<string, Fault>> = {
  async 'application killed'(scene) {
    await scene.restart(Math.floor(scene.random() * scene.processes))
  },
  async 'application stopped'(scene) {
    const process = Math.floor(scene.random() * scene.processes)
    scene.setPaused(process, true)
    await rest(scene, 50, 600)
    scene.setPaused(process, false)
  },
}

const ofNetwork: Readonly<Record<string, Fault>> = {
  async 'connections cut'(scene) {
    scene.place.proxy!.cut()
  },
  async 'connections refused'(scene) {
    const { proxy } = scene.place
    proxy!.refuse()
    proxy!.cut()
    await rest(scene, 50, 400)
    proxy!.accept()
  },
  async 'half-open connections'(scene) {
    const { proxy } = scene.place
    proxy!.pause('toClient')
    await rest(scene, 50, 600)
    proxy!.cut()
    proxy!.resume()
  },
  async 'network stands still'(scene) {
    const { proxy } = scene.place
    proxy!.pause()
    await rest(scene, 50, 600)
    proxy!.resume()
  },
  async 'delays, lost replies, cuts inside of messages'(scene) {
    const { proxy, random } = { proxy: scene.place.proxy!, random: scene.random }
    const seed = Math.floor(random() * 2 ** 32)
    proxy.chaos({ seed, loseReplies: 0.05, silences: 0.01, cuts: 0.05, delay: 20 })
    await rest(scene, 200, 500)
    proxy.calm()
  },
}

const ofServers: Readonly<Record<string, Fault>> = {
  async 'server killed'(scene) {
    const { database, server } = scene.place
    const restart = async (): Promise<void> => {
      await server!.kill()
      await rest(scene, 0, 200)
      await server!.start()
    }
    // Reads of MongoDB may see a write before a majority has it.
    if (database === 'mongodb') await scene.lose('crash', restart)
    else await restart()
  },
  async 'server stopped'(scene) {
    const pids = processesOf(scene.place.server!.pid!)
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await rest(scene, 50, 700)
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  },
}

const ofDatabases: Readonly<Record<string, Readonly<Record<string, Fault>>>> = {
  redis: {
    FLUSHALL: (scene) => scene.lose('flush', () => command(scene.place, (client) => client.flushall())),
    'SCRIPT FLUSH': (scene) => command(scene.place, (client) => client.script('FLUSH')),
  },
  sqlite: {
    async 'file locked'(scene) {
      const database = new Database(scene.place.direct)
      try {
        database.pragma('busy_timeout = 5000')
        database.exec('BEGIN IMMEDIATE')
        await rest(scene, 50, 700)
        database.exec('COMMIT')
      } finally {
        database.close()
      }
    },
  },
}

/** Returns the faults of this place by their names. */
export function faultsOf({
  database,
  server,
  deployment,
}: Place & { deployment?: { readonly faults: Readonly<Record<string, Fault>> } }): Readonly<
  Record<string, Fault>
> {
  if (deployment) return { 'application killed': ofProcesses['application killed']!, ...deployment.faults }
  const ofMachine = server ? { ...ofNetwork, ...ofServers } : {}
  return { ...ofProcesses, ...ofMachine, ...ofDatabases[database] }
}

async function command(place: Place, send: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(place.direct)
  try {
    await send(client)
  } finally {
    client.disconnect()
  }
}

/** Returns the pids of a process and its descendants: PostgreSQL has a process for each connection. */
function processesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return [pid, ...(children === '' ? [] : children.split(' ').flatMap((child) => processesOf(Number(child))))]
}
