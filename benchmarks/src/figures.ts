import type { Result } from './child.ts'
import type { SubjectName } from './subjects.ts'
import type { Scenario, SuiteName } from './suites.ts'

/** One measurement of one subject in one round. */
export interface Sample extends Result {
  suite: SuiteName
  subject: SubjectName
  round: number
}

/** What is measured of a subject. */
export interface Cell {
  suite: SuiteName
  subject: SubjectName
  scenario: Scenario
  concurrency: number
}

export type Metric = 'rate' | 'cpu' | 'p50' | 'p99'

/** Over the rounds. */
export interface Spread {
  median: number
  min: number
  max: number
}

export class Results {
  readonly samples: Sample[] = []
  /** What went wrong; a subject that failed in a cell has no figure there. */
  readonly failures: string[] = []

  add(sample: Sample): void {
    const { subject, suite, scenario, concurrency, errors, failure } = sample
    this.samples.push(sample)
    if (errors > 0)
      this.failures.push(
        `${suite}, ${subject}, ${scenario} at ${concurrency}: ${errors} operations failed, the first with ${failure}`,
      )
  }

  /** Undefined where there is no measurement, or one had errors. */
  spread(cell: Cell, metric: Metric): Spread | undefined {
    const samples = this.#of(cell)
    if (samples.some(({ errors }) => errors > 0)) return undefined
    return spread(samples.map((sample) => sample[metric]))
  }

  /** A subject's figure divided by another's in the same round: what disturbs a round disturbs both. */
  ratio(cell: Cell, rival: SubjectName, metric: Metric): Spread | undefined {
    const other = { ...cell, subject: rival }
    if (!this.spread(cell, metric) || !this.spread(other, metric)) return undefined
    const rivals = new Map(this.#of(other).map((sample) => [sample.round, sample[metric]]))
    return spread(
      this.#of(cell)
        .filter(({ round }) => rivals.has(round))
        .map((sample) => sample[metric] / rivals.get(sample.round)!),
    )
  }

  #of({ suite, subject, scenario, concurrency }: Cell): Sample[] {
    return this.samples.filter(
      (sample) =>
        sample.suite === suite &&
        sample.subject === subject &&
        sample.scenario === scenario &&
        sample.concurrency === concurrency,
    )
  }
}

function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}
