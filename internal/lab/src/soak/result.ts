import type { DatabaseId } from '@session-stores/testbed/databases'
import { type Measure, measures } from './measures.ts'
import { estimateSlope, type Slope } from './slope.ts'
import type { Sample } from './soak.ts'

/** `level` means that the slope does not differ from zero by more than the tolerance of the measure. */
type Growth = 'level' | 'grows' | 'falls' | 'not judged'

/** How one measure developed. Slopes are per million requests. */
export interface MeasureResult extends Slope {
  readonly name: string
  readonly first: number
  readonly last: number
  readonly growth: Growth
}

/** What a soak of one database showed. */
export interface SoakResult {
  readonly database: DatabaseId
  readonly version: string
  readonly seed: number
  readonly leak?: string
  readonly seconds: number
  /** The hours that passed on the application's clock. */
  readonly hours: number
  readonly requests: number
  readonly failed: number
  readonly codes: Readonly<Record<string, number>>
  /** Requests per second of load. */
  readonly rate: number
  readonly faults: Readonly<Record<string, number>>
  readonly samples: number
  readonly measures: readonly MeasureResult[]
}

/** The share of the requests at the begin that says nothing: the engine still compiles, pools fill. */
const WARM_UP = 0.3
/** The number of samples that a judgement needs. */
const ENOUGH = 12
/** The number of requests that a judgement about bytes needs: before, the engine still compiles. */
const ENOUGH_REQUESTS = 500_000

/** Returns the samples after the warm-up. */
const warmOf = (samples: readonly Sample[]): Sample[] =>
  samples.filter(({ requests }) => requests >= samples.at(-1)!.requests * WARM_UP)

/** Returns whether there are enough samples after the warm-up to judge counts. */
export const isEnough = (samples: readonly Sample[]): boolean => warmOf(samples).length > ENOUGH

/** Returns the samples after the warm-up that were taken when the number of rows had settled. */
const settledOf = (samples: readonly Sample[], settling: number): Sample[] =>
  warmOf(samples).filter(({ at }) => at >= settling)

/** Returns whether there are enough samples to judge the rows, too. */
export const isSettled = (samples: readonly Sample[], settling: number): boolean =>
  settledOf(samples, settling).length >= ENOUGH

/**
 * Judges each measure by the slope of its samples.
 * @param settling how long the number of rows takes to settle, in milliseconds
 */
export function judge(samples: readonly Sample[], settling: number): MeasureResult[] {
  const last = samples.at(-1)!.requests
  const warm = warmOf(samples)
  return measures.flatMap((measure) => {
    const settled = measure.needsRows ? settledOf(samples, settling) : warm
    const used = settled.length >= ENOUGH ? settled : warm
    const points = used.flatMap(({ requests, sizes }) => {
      const size = sizes[measure.name]
      return size === undefined ? [] : [[requests / 1e6, size] as const]
    })
    if (points.length === 0) return []
    const slope = estimateSlope(points)
    const isBounded = slope.low !== null && slope.high !== null
    const isWarm = measure.unit === '' || last >= ENOUGH_REQUESTS
    const isJudged = settled.length >= ENOUGH && isBounded && isWarm
    const growth = isJudged ? toGrowth(slope, measure) : 'not judged'
    return [{ name: measure.name, first: points[0]![1], last: points.at(-1)![1], ...slope, growth }]
  })
}

function toGrowth({ low, high }: Slope, { tolerance }: Measure): Growth {
  if (low !== null && low > tolerance) return 'grows'
  if (high !== null && high < -tolerance) return 'falls'
  return 'level'
}

/** Returns the names of the measures that grow. */
export const growing = (all: readonly MeasureResult[]): string[] =>
  all.filter(({ growth }) => growth === 'grows').map(({ name }) => name)
