import type { Job, Point } from '../child/protocol.ts'
import type { ScenarioName } from '../results/results.ts'
import type { Entry } from '../subjects/catalogue.ts'
import type { Place } from '../subjects/subject.ts'

/** A measurement and the scenario that it belongs to. */
export interface PlannedPoint extends Point {
  scenario: ScenarioName
}

/** What one process does in a round. */
export interface PlannedJob {
  entry: Entry
  /** Jobs of one group are compared with each other and take turns. */
  group: string
  /** Whether the server has only one place, so that the job runs after the others of its group. */
  isApart: boolean
  /** The job runs in the first `rounds` rounds. 0 means that it runs beside all rounds. */
  rounds: number
  /**
   * The name of the place of the sessions. The place is emptied before each round unless `stays` is
   * set.
   */
  placeName: string
  stays: boolean
  /** The scenario of a job without points. */
  scenario: ScenarioName
  points: readonly PlannedPoint[]
  /** How often the job measures its points in a round. */
  passes: number
  /** Whether each pass is a round of its own. Otherwise, the passes of a round are combined. */
  passesAreRounds: boolean
  /** Milliseconds before the first measurement besides storing sessions, such as warm-ups. */
  preparing: number
  make(place: Place): Job
}

/** Returns the scenarios that a job measures. */
export function scenariosOf({ points, scenario }: PlannedJob): ScenarioName[] {
  return points.length === 0 ? [scenario] : [...new Set(points.map((point) => point.scenario))]
}

/**
 * Returns how many milliseconds a job measures in a round, including warm-ups. Slow stores take
 * longer.
 */
export function measuringOf({ points, passes }: Pick<PlannedJob, 'points' | 'passes'>): number {
  const first = points.reduce((sum, { warmUp, duration }) => sum + warmUp + duration, 0)
  const again = points.reduce((sum, { warmUpAgain, duration }) => sum + warmUpAgain + duration, 0)
  return first + (passes - 1) * again
}
