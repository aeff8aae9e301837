import { type PlannedJob, type PlannedPoint, scenariosOf } from '../plan/job.ts'
import { mergeMeasurements } from '../results/merge.ts'
import type { Cell, Expiry, Reclaim, Round, Run, ServerInfo, Storage } from '../results/results.ts'

/** Collects the results of a run. Calls `save` whenever there is more to keep. */
export class Recorder {
  readonly run: Run
  readonly #save: (run: Run) => void
  readonly #cells = new Map<string, Cell>()

  constructor(run: Run, save: (run: Run) => void) {
    this.run = run
    this.#save = save
  }

  /** Adds a measurement. Measurements of several passes in a round are combined. */
  addMeasurement(
    { entry }: PlannedJob,
    { scenario, operation, parameters }: PlannedPoint,
    round: Round,
  ): void {
    const { payload, concurrency, processes, stored, rate } = parameters
    const key = [scenario, operation, entry.id, payload, concurrency, processes, stored, rate].join()
    let cell = this.#cells.get(key)
    if (!cell) {
      cell = { scenario, operation, subject: entry.id, parameters, rounds: [] }
      this.#cells.set(key, cell)
      this.run.cells.push(cell)
    }
    const last = cell.rounds.at(-1)
    if (last?.round === round.round)
      cell.rounds[cell.rounds.length - 1] = { ...round, ...mergeMeasurements(last, round) }
    else cell.rounds.push(round)
  }

  addExpiry(expiry: Expiry): void {
    this.run.expiry.push(expiry)
  }

  addReclaim(reclaim: Reclaim): void {
    this.run.reclaim.push(reclaim)
  }

  addStorage(storage: Storage): void {
    this.run.storage = [...(this.run.storage ?? []), storage]
  }

  /** Records a failure of these points. Without points, the whole job failed. */
  addFailure(job: PlannedJob, points: readonly PlannedPoint[], round: number, reason: string): void {
    const { missing } = this.run
    const { entry } = job
    if (points.length > 0)
      for (const { scenario, operation } of points)
        missing.push({ subject: entry.id, scenario, operation, round, reason })
    else {
      for (const scenario of scenariosOf(job))
        if (
          !missing.some(
            (other) => other.subject === entry.id && other.scenario === scenario && other.reason === reason,
          )
        )
          missing.push({ subject: entry.id, scenario, reason })
    }
  }

  addServer(info: ServerInfo): void {
    if (!this.run.servers.some(({ name }) => name === info.name)) this.run.servers.push(info)
  }

  endRound(round: number): void {
    this.run.roundsDone = round
    this.#save(this.run)
  }

  /**
   * Ends the run.
   * @param reason why the run is incomplete
   */
  end(reason?: string): void {
    this.run.ended = new Date().toISOString()
    this.run.complete = reason === undefined
    this.run.reason = reason
    this.#save(this.run)
  }
}
