import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FillJob, Job, Message, ReclaimJob, Usage } from '../child/protocol.ts'
import { measuringOf, type PlannedJob } from '../plan/job.ts'
import { shuffle } from '../plan/shuffle.ts'
import type { Reclaim, Size, Storage } from '../results/results.ts'
import type { BenchServer } from '../servers/server.ts'
import { Servers } from '../servers/start.ts'
import type { Place } from '../subjects/subject.ts'
import { cpuTimes } from './cpu.ts'
import type { Recorder } from './recorder.ts'
import { settleFile } from './settle-file.ts'
import { sizeOfEach, sizeOfFiles } from './size.ts'
import { type JobRun, runJob } from './subject-process.ts'
import { Turn, Turns } from './turns.ts'
import { SOON, watchStorage } from './watch-storage.ts'

/** Milliseconds that a job may take besides its measurements, and for storing one session. */
const PATIENCE = { job: 90_000, session: 2 }

export interface Progress {
  begin(round: number, job: PlannedJob): void
  end(job: PlannedJob): void
}

/** Runs all jobs in all rounds and passes the results to the recorder. */
export class Runner {
  readonly #recorder: Recorder
  readonly #progress: Progress
  readonly #signal: AbortSignal
  readonly #servers = new Servers()
  readonly #folder = mkdtempSync(join(tmpdir(), 'benchmark-'))
  /** Places that stay after they were filled. */
  readonly #filled = new Map<string, Promise<Place>>()
  /** Jobs that always fail. */
  readonly #hopeless = new Set<PlannedJob>()

  constructor(recorder: Recorder, progress: Progress, signal: AbortSignal) {
    this.#recorder = recorder
    this.#progress = progress
    this.#signal = signal
  }

  /** Runs all rounds and the jobs beside them. Rejects with the reason if the run is aborted. */
  async all(jobs: readonly PlannedJob[], rounds: number): Promise<void> {
    const watches = jobs.filter(runsBeside).map((job) => this.#watch(job))
    // Nothing is measured while sessions are stored and storage is checked all the time.
    await Promise.all(watches.map(({ begun }) => begun))
    await this.#rounds(jobs, rounds)
    await Promise.all(watches.map(({ ended }) => ended))
    this.#signal.throwIfAborted()
  }

  async #rounds(jobs: readonly PlannedJob[], rounds: number): Promise<void> {
    for (let round = 1; round <= rounds; round++) {
      const due = jobs.filter((job) => round <= job.rounds && !this.#hopeless.has(job))
      const groups = Map.groupBy(due, ({ group }) => group)
      for (const group of shuffle([...groups.values()])) {
        const order = shuffle(group)
        // Jobs that take turns are disturbed equally. On a server with one place they cannot take
        // turns.
        const together = order.some(({ isApart }) => isApart) ? order.map((job) => [job]) : [order]
        for (const jobs of together) await this.#takeTurns(jobs, round)
      }
      this.#recorder.endRound(round)
    }
  }

  /** All subjects store their sessions. Then they take turns and measure for a short while each. */
  async #takeTurns(jobs: readonly PlannedJob[], round: number): Promise<void> {
    const turns = new Turns(jobs.length)
    const results = await Promise.allSettled(
      jobs.map(async (job, index) => {
        const turn = new Turn(turns)
        this.#progress.begin(round, job)
        try {
          await this.#measure(job, round, index, turn)
        } finally {
          turn.over()
        }
        this.#progress.end(job)
      }),
    )
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  async stop(): Promise<void> {
    await this.#servers.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /**
   * Runs a store whose sessions expire, and watches when they are gone. Failures are recorded, and
   * neither promise rejects.
   */
  #watch(job: PlannedJob): { begun: Promise<void>; ended: Promise<void> } {
    const filled = Promise.withResolvers<void>()
    const over = new AbortController()
    const signal = AbortSignal.any([this.#signal, over.signal])
    const watch = async (): Promise<void> => {
      const server = await this.#serverOf(job)
      const place = await this.#emptyPlace(job.placeName, server)
      const reclaim = job.make(place) as ReclaimJob
      const result = Promise.withResolvers<Omit<Reclaim, 'subject'>>()
      const onMessage = (message: Message): void => {
        if (message.kind !== 'filled') return
        const { deadline } = message
        filled.resolve(sleep(deadline + SOON - Date.now(), undefined, { signal }))
        result.resolve(watchStorage(place, server, { ...reclaim, deadline }, signal))
      }
      const patience = reclaim.watched + PATIENCE.job
      this.#run(reclaim, server, { onMessage, patience, signal }).catch(result.reject)
      this.#recorder.addReclaim({ subject: job.entry.id, ...(await result.promise) })
      over.abort()
    }
    const ended = watch().catch((error) => {
      filled.resolve()
      over.abort()
      if (!this.#signal.aborted) this.#recorder.addFailure(job, [], 0, reasonOf(error))
    })
    return { begun: filled.promise.catch(() => {}), ended }
  }

  /** Runs a job beside others of its group. Each one has a different index. */
  async #measure(job: PlannedJob, round: number, index: number, turn: Turn): Promise<void> {
    /** How often each point was measured. */
    const done = new Map<number, number>()
    let isHeard = false
    const onMessage = (message: Message) => {
      isHeard = true
      if (message.kind === 'measured') {
        const { index, measurement } = message
        const pass = (done.get(index) ?? 0) + 1
        done.set(index, pass)
        const counted = job.passesAreRounds ? (round - 1) * job.passes + pass : round
        this.#recorder.addMeasurement(job, job.points[index]!, { round: counted, ...measurement })
      }
      if (message.kind === 'expiry')
        this.#recorder.addExpiry({ subject: job.entry.id, round, late: message.late, early: message.early })
    }
    try {
      const server = await this.#serverOf(job)
      const place = await this.#placeOf(job, index, server)
      if (job.scenario === 'storage') {
        this.#recorder.addStorage(await this.#measureStorage(job, place, server, turn))
        return
      }
      await this.#run(job.make(place), server, {
        onMessage,
        patience: patienceOf(job),
        pass: () => turn.pass(),
      })
    } catch (error) {
      this.#signal.throwIfAborted()
      const reason = reasonOf(error)
      // A job that fails before its first measurement would fail again.
      if (!isHeard) this.#hopeless.add(job)
      const points = job.points.filter((_, index) => !done.has(index))
      this.#recorder.addFailure(job, isHeard ? points : [], round, reason)
    }
  }

  /** Stores sessions and asks the database how much more it takes up. */
  async #measureStorage(
    job: PlannedJob,
    place: Place,
    server: BenchServer | undefined,
    turn: Turn,
  ): Promise<Storage> {
    const sizeOf = async (): Promise<Size> =>
      server ? server.size!(place.urls[0]!) : sizeOfFiles(place.folder)
    await turn.pass()
    const before = await sizeOf()
    const fill = job.make(place) as FillJob
    const { payload, stored: sessions } = fill
    await this.#run(fill, server, { patience: PATIENCE.job + PATIENCE.session * sessions })
    if (server) await server.settle?.(place.urls[0]!)
    else settleFile(place.folder)
    return { subject: job.entry.id, payload, sessions, ...sizeOfEach(before, await sizeOf(), sessions) }
  }

  async #serverOf({ entry }: PlannedJob): Promise<BenchServer | undefined> {
    if (entry.server === undefined) return undefined
    const server = await this.#servers.get(entry.server)
    this.#recorder.addServer(server.info)
    return server
  }

  async #placeOf(job: PlannedJob, index: number, server: BenchServer | undefined): Promise<Place> {
    if (!job.stays) return this.#emptyPlace(`${job.placeName}-${index}`, server)
    const known = this.#filled.get(job.placeName)
    if (known) return known
    const place = this.#emptyPlace(job.placeName, server)
    this.#filled.set(job.placeName, place)
    const { payload, stored } = job.points[0]!.parameters
    const fill: Job = { kind: 'fill', subject: job.entry.id, place: await place, payload, stored }
    await this.#run(fill, server, { patience: patienceOf(job) })
    const { folder, urls } = await place
    if (server) await server.settle?.(urls[0]!)
    else settleFile(folder)
    return place
  }

  async #emptyPlace(name: string, server: BenchServer | undefined): Promise<Place> {
    const folder = join(this.#folder, name)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    return { folder, urls: server ? await server.empty(name) : [] }
  }

  #run(
    job: Job,
    server: BenchServer | undefined,
    options: Pick<JobRun, 'patience'> & Partial<JobRun>,
  ): Promise<void> {
    const usage = async (): Promise<Usage | null> =>
      server ? { ...(await server.counts()), cpu: cpuTimes(server.pids()) } : null
    const moveSlots = async (isMoving: boolean): Promise<void> => server?.moveSlots?.(isMoving)
    const common = { onMessage() {}, usage, moveSlots, async pass() {}, signal: this.#signal }
    return runJob(job, { ...common, ...options })
  }
}

const runsBeside = ({ rounds }: PlannedJob): boolean => rounds === 0

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function patienceOf(job: PlannedJob): number {
  return PATIENCE.job + measuringOf(job) + PATIENCE.session * (job.points[0]?.parameters.stored ?? 0)
}
