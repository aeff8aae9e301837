/** A median and its interval. */
export interface Estimate {
  median: number
  low: number
  high: number
  /** Whether the interval has the requested confidence. At 95%, at least 6 values are necessary. */
  sure: boolean
  /** The number of values. */
  count: number
}

/**
 * Returns the median and the narrowest pair of order statistics that encloses the true median with
 * this confidence. No distribution is assumed. With too few values, the interval is their whole
 * range and not `sure`.
 */
export function estimate(values: readonly number[], confidence: number = 0.95): Estimate | undefined {
  const count = values.length
  if (count === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const cut = tail(count, (1 - confidence) / 2)
  return {
    median: median(sorted),
    low: sorted[Math.max(cut - 1, 0)]!,
    high: sorted[Math.min(count - cut, count - 1)]!,
    sure: cut > 0,
    count,
  }
}

/**
 * The ratio of `ours` to `theirs`. The difference is significant if the interval is sure and
 * excludes 1.
 */
export interface Ratio extends Estimate {
  significant: boolean
}

/** Divides the values of the same rounds, because a disturbance of a round affects both values. */
export function ratio(
  ours: ReadonlyMap<number, number>,
  theirs: ReadonlyMap<number, number>,
  confidence: number = 0.95,
): Ratio | undefined {
  const ratios = [...ours].flatMap(([round, value]) => {
    const other = theirs.get(round)
    return other ? [value / other] : []
  })
  const result = estimate(ratios, confidence)
  return result && { ...result, significant: result.sure && (result.low > 1 || result.high < 1) }
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Returns the largest k for which at most `share` of all samples of `count` values have less than k
 * values below the median, or 0.
 */
function tail(count: number, share: number): number {
  let [k, probability, sum] = [0, 0.5 ** count, 0]
  while (k < count / 2) {
    sum += probability
    if (sum > share) break
    probability *= (count - k) / (k + 1)
    k++
  }
  return k
}
