import { setTimeout as pause } from 'node:timers/promises'
import type { SessionStore } from '@session-stores/core'
import { randomFrom } from '@session-stores/testbed'
import { openVersion } from '../upgrades/store.ts'
import { Application } from './application.ts'
import { check, keepRecordings, type Lost, sumLost, type Verdict } from './checker.ts'
import { keysOf } from './client.ts'
import type { Deployment } from './deployments/deployment.ts'
import { findSilence } from './deployments/silence.ts'
import { faultsOf } from './faults.ts'
import type { Mutant } from './mutants.ts'
import type { Place } from './place.ts'
import { type Keys, OPERATION_TIMEOUT, type Pair, SESSIONS, type Verb, type Version } from './protocol.ts'
import { Recorder } from './recorder.ts'
import type { Scene } from './scene.ts'
import { FAMILY } from './token-calls.ts'

/** The number of the application's processes. */
const PROCESSES = 3
/** The clients of each process for each history. */
const CLIENTS = 2
/** The number of calls that each client makes. */
const CALLS = 25
/** The number of the process that stands for the program itself. */
const PROGRAM = PROCESSES
/** How far the clock of one application is ahead in some rounds, in milliseconds. */
const CLOCK = 10_000

export interface RoundOptions {
  readonly seed: number
  /** The number of histories that are played at once. They share the faults. */
  readonly histories: number
  /** The number of faults that strike one after the other. */
  readonly faults: number
  /** How the stores are broken: those of the first history in the first way, and so on. */
  readonly mutants?: readonly Mutant[]
  /** The names of the faults that strike. By default all that the place has. */
  readonly only?: readonly string[] | undefined
}

export interface Round {
  readonly seed: number
  readonly histories: number
  readonly operations: number
  readonly unanswered: number
  /** The number of faults by their names. */
  readonly faults: Readonly<Record<string, number>>
  /** The number of errors by their codes. */
  readonly codes: Readonly<Record<string, number>>
  /** The sessions whose answers no order explains. */
  readonly violations: readonly Verdict[]
  /** The sessions that the checker did not decide in time. */
  readonly undecided: number
  /** What failovers lost that had been acknowledged, as far as the answers show it. */
  readonly lost: Lost
  /** The seconds without service at each fault that was noticed, by the names of the faults. */
  readonly silences: Readonly<Record<string, readonly number[]>>
}

/** Processes of an application on one database, whose calls are recorded and checked. */
export class Lab implements AsyncDisposable {
  readonly #place: Place | Deployment
  readonly #calls: number
  readonly #struckAt: { name: string; from: number; to: number }[] = []
  readonly #applications: Application[] = []
  readonly #reader: SessionStore
  #recorder = new Recorder()
  /** How far the clock of each process is ahead, in milliseconds. */
  #clocks: number[] = []

  /**
   * @param versions what the processes of the application have, one after the other; where the list
   * ends, they have this version
   * @throws SERVER_UNAVAILABLE
   */
  static async start(place: Place | Deployment, versions: readonly Version[] = []): Promise<Lab> {
    const writes = versions.find((version) => version.writes !== undefined)?.writes
    const reader = await openVersion(place.database, place.direct, writes, {
      pruneInterval: false,
      operationTimeout: 20_000,
    })
    await reader.ping()
    const lab = new Lab(place, reader)
    for (let process = 0; process < PROCESSES; process++) {
      // One process has a small pool, which faults use up sooner.
      const through = process === 0 ? (place.throughFew ?? place.through) : place.through
      const { checkout, ...version } = versions[process] ?? {}
      const settings = { database: place.database, place: through, ...version }
      lab.#applications.push(
        new Application(
          settings,
          {
            begun: (call) => lab.#recorder.begin(process, call),
            ended: (call) => lab.#recorder.end(process, call),
            killed: () => lab.#recorder.kill(process),
            handed: (pair) => lab.#handOn(process, pair),
          },
          checkout,
        ),
      )
    }
    await Promise.all(lab.#applications.map((application) => application.start()))
    return lab
  }

  constructor(place: Place | Deployment, reader: SessionStore) {
    this.#place = place
    this.#calls = 'deployment' in place ? place.deployment.calls : CALLS
    this.#reader = reader
  }

  /**
   * Plays histories while faults strike, and checks them.
   * @param pages the folder for a page about each violation
   */
  async play(options: RoundOptions, pages?: string): Promise<Round> {
    const { seed } = options
    this.#recorder = new Recorder()
    this.#struckAt.length = 0
    const names = Array.from({ length: options.histories }, (_, i) => `h${seed}.${i}`)
    const random = randomFrom(seed, names.length)
    // An application whose clock is ahead sees sessions end early. The others must not.
    const ahead = random() < 0.3 ? CLOCK : 0
    this.#clocks = this.#applications.map((_, process) => (process === 0 ? ahead : 0))
    for (const process of this.#applications.keys()) this.#moveClock(process, 0)
    const playing = Promise.all(names.map((history, i) => this.#playHistory(history, options, i)))
    const struck = await this.#strike(options, random, names)
    if (ahead > 0) struck['clock 10 s ahead'] = 1
    await playing
    for (const application of this.#applications) application.readCalls()
    // The reads of the program come long after the last calls, and say nothing about an outage.
    const silences = this.#findSilences()
    const { families } = this.#recorder
    await this.#readAll(names, families)
    await pause(OPERATION_TIMEOUT)
    await this.#readAll(names, families)
    const { calls, unanswered, codes } = this.#recorder
    if ('deployment' in this.#place && this.#place.deployment.delaysWrites)
      for (const { from, to } of this.#struckAt) this.#recorder.extend(from, to)
    const isSharded = 'deployment' in this.#place && this.#place.deployment.isSharded === true
    const sessions = this.#recorder.take().map((session) => ({ ...session, isSharded }))
    const verdicts = await check(sessions, pages)
    const illegal = new Set(verdicts.filter(({ result }) => result !== 'ok').map(({ id }) => id))
    if (pages !== undefined) keepRecordings(pages, sessions, illegal)
    return {
      seed,
      histories: names.length,
      operations: calls,
      unanswered,
      faults: struck,
      codes,
      violations: verdicts.filter(({ result }) => result === 'illegal'),
      undecided: verdicts.filter(({ result }) => result === 'unknown').length,
      lost: sumLost(verdicts.map(({ lost }) => lost)),
      silences,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#applications.map((application) => application.stop()))
    await this.#reader.close()
  }

  async #playHistory(history: string, { seed, mutants }: RoundOptions, index: number): Promise<void> {
    const mutant = mutants?.[index % mutants.length]
    const parts = this.#applications.flatMap((application, process) =>
      Array.from({ length: CLIENTS }, async (_, client) => {
        const part = `${history} ${process} ${client}`
        // After a kill, the process that is started again goes on with half as many calls.
        for (let calls = this.#calls, lives = 0; calls > 0; calls >>= 1, lives++) {
          const own = Math.floor(randomFrom(seed, index, process, client, lives)() * 2 ** 32)
          if ((await application.play({ history, part, seed: own, calls, mutant })) === 'done') return
        }
      }),
    )
    await Promise.all(parts)
  }

  async #strike(
    { faults: count, only }: RoundOptions,
    random: () => number,
    names: readonly string[],
  ): Promise<Record<string, number>> {
    const struck: Record<string, number> = {}
    const all = Object.entries(faultsOf(this.#place)).filter(([name]) => only?.includes(name) ?? true)
    if (all.length === 0) throw new TypeError(`there is no fault ${only}`)
    const faults = shuffle(all, random)
    const scene: Scene = {
      place: this.#place,
      random,
      processes: PROCESSES,
      restart: async (process) => {
        const application = this.#applications[process]!
        await application.kill(async () => {
          await application.start()
          // The clock of a machine does not change when an application starts again.
          this.#moveClock(process, 0)
        })
      },
      moveClock: (process, by) => this.#moveClock(process, by),
      setPaused: (process, isPaused) =>
        isPaused ? this.#applications[process]!.pause() : this.#applications[process]!.resume(),
      lose: async (what, act) => {
        const ends = names.map((name) => this.#begin(name, what, undefined))
        await act()
        for (const end of ends) end({})
      },
    }
    for (let i = 0; i < count; i++) {
      await pause(50 + random() * 200)
      const [name, fault] = faults[i % faults.length]!
      const from = now().at
      await fault(scene)
      this.#struckAt.push({ name, from, to: now().at })
      struck[name] = (struck[name] ?? 0) + 1
    }
    return struck
  }

  #moveClock(process: number, by: number): void {
    this.#clocks[process]! += by
    this.#recorder.moveClock(process, by)
    this.#applications[process]!.setClock(this.#clocks[process]!)
  }

  /** Gives the tokens that one process got to the others. */
  #handOn(from: number, pair: Pair): void {
    for (const [process, application] of this.#applications.entries())
      if (process !== from) application.take(pair)
  }

  async #readAll(
    names: readonly string[],
    families: readonly (readonly [history: string, family: string])[],
  ): Promise<void> {
    const ids = names.flatMap((name) => Array.from({ length: SESSIONS }, (_, i) => [name, `${name}-${i}`]))
    const looks = families.map(async ([history, id]) => {
      const end = this.#begin(history, 'get', id)
      const handle = id.slice(history.length + FAMILY.length)
      const found = await whenReached(() => this.#reader.peek(handle, { freshness: 0 }))
      end(found === null ? { answer: 'null' } : {})
    })
    await Promise.all(looks)
    await Promise.all(
      ids.map(async ([history, id]) => {
        const end = this.#begin(history!, 'get', id)
        const found = await whenReached(() => this.#reader.get(id!))
        end(found === null ? { answer: 'null' } : { found: keysOf(found) })
      }),
    )
  }

  #findSilences(): Record<string, number[]> {
    const silences: Record<string, number[]> = {}
    for (const { name, from, to } of this.#struckAt) {
      const seconds = findSilence([...this.#recorder.ends.values()], from, to)
      if (seconds > 0) silences[name] = [...(silences[name] ?? []), seconds]
    }
    return silences
  }

  /** Notes a call of the program itself. Returns the function that notes its answer. */
  #begin(history: string, verb: Verb, session: string | undefined) {
    const number = this.#number++
    this.#recorder.begin(PROGRAM, { number, history, verb, session, begun: now() })
    return (outcome: { answer?: 'null'; found?: Keys }): void =>
      this.#recorder.end(PROGRAM, { number, ended: now(), answer: 'ok', ...outcome })
  }
  #number = 0
}

/** Makes a read again that fails: a server that has just taken over may not be reached at once. */
async function whenReached<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read()
    } catch (error) {
      if (tries === 50) throw error
      await pause(200)
    }
  }
}

/** Returns the items in a random order, so that few faults are of many kinds. */
function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ item }) => item)
}

function now(): { at: number; clock: number } {
  return { at: Number(process.hrtime.bigint() / 1000n), clock: Date.now() }
}
