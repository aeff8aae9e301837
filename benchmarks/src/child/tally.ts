import type { Measurement } from '../results/results.ts'

/** An answer that is not the right one; anything else that a step fails with is an error. */
export class WrongAnswer extends Error {}

/** Counts what went wrong. */
export class Tally {
  errors = 0
  wrong = 0
  #failure: string | undefined

  add(error: unknown): void {
    if (error instanceof WrongAnswer) this.wrong++
    else this.errors++
    this.#failure ??= String(error)
  }

  counts(): Pick<Measurement, 'errors' | 'wrong' | 'failure'> {
    return { errors: this.errors, wrong: this.wrong, failure: this.#failure }
  }
}
