import { estimateJob } from '../plan/estimate.ts'
import type { PlannedJob } from '../plan/job.ts'

/**
 * Shows the progress of a run: with the remaining time on a terminal, otherwise one line per round.
 */
export class TerminalProgress {
  readonly #total: number
  readonly #rounds: number
  readonly #begin = performance.now()
  readonly #terminal = process.stderr.isTTY
  #done = 0
  #round = 0

  constructor(jobs: readonly PlannedJob[], rounds: number) {
    this.#rounds = rounds
    this.#total = jobs.reduce((sum, job) => sum + estimateJob(job) * Math.min(job.rounds, rounds), 0)
  }

  begin(round: number, { entry, scenario }: PlannedJob): void {
    const text = `round ${round} of ${this.#rounds}`
    if (this.#terminal) {
      const share = `${Math.floor((100 * this.#done) / this.#total)}%`
      this.#write(`${share.padStart(4)}  ${text}, ${this.#left()}: ${entry.name}, ${scenario}`)
    } else if (round !== this.#round) process.stderr.write(`${text}\n`)
    this.#round = round
  }

  end(job: PlannedJob): void {
    this.#done += estimateJob(job)
  }

  /** Removes the line from the terminal. */
  clear(): void {
    if (this.#terminal) this.#write('')
  }

  #write(text: string): void {
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  }

  #left(): string {
    if (this.#done === 0) return 'time left unknown'
    const seconds = ((performance.now() - this.#begin) / 1000) * (this.#total / this.#done - 1)
    return seconds < 90 ? `${Math.ceil(seconds)} s left` : `${Math.ceil(seconds / 60)} minutes left`
  }
}
