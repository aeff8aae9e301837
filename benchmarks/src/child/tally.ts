import type { Measurement } from '../results/results.ts'

/** A wrong answer. Any other error of a step means that the operation failed. */
export class WrongAnswer extends Error {}

/** Counts failed operations and wrong answers. */
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
