import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { DatabaseId } from '@session-stores/testbed/databases'
import { randomFrom } from '@session-stores/testbed/random'
import { type SoakDatabase, startSoakDatabase } from './database.ts'
import type { Leak } from './leaks.ts'
import type { Order, Report, Settings } from './protocol.ts'
import { isEnough, isSettled, judge, type MeasureResult, type SoakResult } from './result.ts'
import { timesOf } from './times.ts'

export interface SoakOptions {
  readonly seed: number
  /**
   * The soak ends after this time, or after this number of requests if its rows can be judged by then,
   * but not before it has enough samples.
   */
  readonly milliseconds: number
  readonly requests: number
  readonly leak?: Leak | undefined
  /** The soak goes on until its measures fulfil this, for at most `EXTENSION` times as long. */
  readonly until?: (measures: readonly MeasureResult[]) => boolean
}

/** The sizes after a number of requests. */
export interface Sample {
  readonly requests: number
  /** Milliseconds since the load began. */
  readonly at: number
  readonly sizes: Readonly<Record<string, number>>
}

/** The number of samples in a soak, and the shortest time between two of them, in milliseconds. */
const SAMPLES = 60
const MIN_SPAN = 400
/** How long the application rests before a sample, in milliseconds. Its pools and timers settle. */
const REST = 100
/** One in this number of faults restarts the server. The others disturb connections. */
const RESTARTS = 8
/** How many times longer a soak may take whose measures do not fulfil a condition yet. */
const EXTENSION = 5

/** Loads an application on one database, disturbs it now and then, and judges what grows. */
export async function soak(database: DatabaseId, options: SoakOptions): Promise<SoakResult> {
  await using server = await startSoakDatabase(database)
  const { seed, leak, milliseconds, until } = options
  const { settling, speed } = timesOf(database)
  const settings: Settings = { database, place: server.place, seed, ...(leak && { leak }) }
  using application = await Application.start(settings)
  const random = randomFrom(seed, 1)
  const samples: Sample[] = []
  const faults: Record<string, number> = {}
  const span = Math.max(milliseconds / SAMPLES, MIN_SPAN)
  const begin = performance.now()
  let loaded = 0
  let report: Report
  let measures: MeasureResult[]
  for (;;) {
    await application.tell('load')
    const started = performance.now()
    // Each sample stands after a fault and a time without faults in which everything recovers.
    await pause(span * (0.2 + 0.3 * random()))
    const name = await strike(server, application, database, samples.length)
    faults[name] = (faults[name] ?? 0) + 1
    await pause(Math.max(started + span - performance.now(), span * 0.3))
    report = await application.tell('rest')
    loaded += performance.now() - started
    await pause(REST)
    report = await application.tell('measure')
    const sizes = { ...report.sizes, ...(await server.measure()) }
    samples.push({ requests: report.requests, at: performance.now() - begin, sizes })
    const elapsed = performance.now() - begin
    const isDone = report.requests >= options.requests && isSettled(samples, settling)
    const isOver = elapsed >= milliseconds || isDone
    if (!isOver || !isEnough(samples)) continue
    measures = judge(samples, settling)
    if (until?.(measures) !== false || elapsed >= EXTENSION * milliseconds) break
  }
  await application.tell('end')
  const { requests, failed, codes } = report
  const seconds = Math.round((performance.now() - begin) / 1000)
  return {
    database,
    version: server.version,
    seed,
    ...(leak && { leak }),
    seconds,
    /** What the application's clock moved. */
    hours: Math.round((seconds * speed) / 360) / 10,
    requests,
    failed,
    codes,
    rate: Math.round(requests / (loaded / 1000)),
    faults,
    samples: samples.length,
    measures,
  }
}

/** Strikes with the next fault, and returns its name. */
async function strike(
  server: SoakDatabase,
  application: Application,
  database: DatabaseId,
  turn: number,
): Promise<string> {
  const names = Object.keys(server.faults)
  const restart = names.at(-1)!
  const others = names.slice(0, -1)
  const isRestart = database === 'sqlite' || turn % RESTARTS === RESTARTS - 1
  // Closing from the side of the application is a fault of every server.
  const which = turn % (others.length + 1)
  if (!isRestart && which === others.length) {
    await application.tell('cut')
    return 'connections reset by the network'
  }
  const name = isRestart ? restart : others[which]!
  await server.faults[name]!()
  return name
}

/** The process of the application. */
class Application implements Disposable {
  readonly #child: ChildProcess

  static async start(settings: Settings): Promise<Application> {
    const child = fork(new URL('./worker.ts', import.meta.url), [JSON.stringify(settings)], {
      // Where the clock of the application is compressed, the store warns of it.
      execArgv: ['--expose-gc', '--disable-warning=SESSION_STORES_CLOCK'],
    })
    const application = new Application(child)
    await application.#next()
    return application
  }

  constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when the application has done what the order says. */
  async tell(order: Order): Promise<Report> {
    this.#child.send(order)
    return this.#next()
  }

  async #next(): Promise<Report> {
    const ended = new AbortController()
    const exit = once(this.#child, 'exit', { signal: ended.signal }).then(([code, signal]) => {
      throw new Error(`the application ended by itself (${signal ?? code})`)
    })
    try {
      const [report] = (await Promise.race([once(this.#child, 'message'), exit])) as [Report]
      return report
    } finally {
      ended.abort()
      exit.catch(() => {})
    }
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }
}
