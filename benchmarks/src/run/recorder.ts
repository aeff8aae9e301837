import { type PlannedJob, type PlannedPoint, scenariosOf } from '../plan/plan.ts'
import { merged } from '../results/merge.ts'
import type { Cell, Expiry, Reclaim, Round, Run, ServerInfo } from '../results/results.ts'

/** Gathers a run's results as they come; `save` is called whenever there is more to keep. */
export class Recorder {
  readonly run: Run
  readonly #save: (run: Run) => void
  readonly #cells = new Map<string, Cell>()

  constructor(run: Run, save: (run: Run) => void) {
    this.run = run
    this.#save = save
  }

  /** What was measured in several passes of a round is one. */
  measured({ entry }: PlannedJob, { scenario, operation, parameters }: PlannedPoint, round: Round): void {
    const { payload, concurrency, stored, rate } = parameters
    const key = [scenario, operation, entry.id, payload, concurrency, stored, rate].join()
    let cell = this.#cells.get(key)
    if (!cell) {
      cell = { scenario, operation, subject: entry.id, parameters, rounds: [] }
      this.#cells.set(key, cell)
      this.run.cells.push(cell)
    }
    const last = cell.rounds.at(-1)
    if (last?.round === round.round)
      cell.rounds[cell.rounds.length - 1] = { ...round, ...merged(last, round) }
    else cell.rounds.push(round)
  }

  expired(expiry: Expiry): void {
    this.run.expiry.push(expiry)
  }

  reclaimed(reclaim: Reclaim): void {
    this.run.reclaim.push(reclaim)
  }

  /** The whole job, if no points are named. */
  failed(job: PlannedJob, points: readonly PlannedPoint[], round: number, reason: string): void {
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

  serves(info: ServerInfo): void {
    if (!this.run.servers.some(({ name }) => name === info.name)) this.run.servers.push(info)
  }

  endRound(round: number): void {
    this.run.roundsDone = round
    this.#save(this.run)
  }

  /** `reason`: why it is not complete. */
  end(reason?: string): void {
    this.run.ended = new Date().toISOString()
    this.run.complete = reason === undefined
    this.run.reason = reason
    this.#save(this.run)
  }
}
