/** A median with its interval. */
export interface Estimate {
  median: number
  low: number
  high: number
  /** Whether the interval holds the true median with the confidence asked for; below 6 values none can at 95%. */
  sure: boolean
  /** How many values. */
  count: number
}

/**
 * The median, and the narrowest pair of order statistics that encloses the true one with at least this confidence:
 * no assumption of how the values are spread. With too few values: all of their range, and not `sure`.
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

/** How often `ours` is `theirs`, and whether the difference shows: never where the interval holds 1, or is not sure. */
export interface Ratio extends Estimate {
  significant: boolean
}

/** Of values of the same rounds: what disturbs a round disturbs both. */
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

/** The largest k for which at most `share` of all samples of `count` have less than k values below the median; 0: none. */
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
