/** The slope of a measure, with the interval that holds the true one with a probability of 99 %. */
export interface Slope {
  readonly slope: number
  /** `null` where there are too few samples for a bound. */
  readonly low: number | null
  readonly high: number | null
}

/** The quantile of the normal distribution for an interval of 99 %. */
const Z = 2.5758

/**
 * Estimates the slope of `y` over `x` by Theil and Sen: the median of the slopes of all pairs, which
 * outliers do not move. The interval is Sen's, by the variance of Kendall's S. Samples that follow
 * each other are alike, so the interval is widened by what their correlation takes from them.
 */
export function estimateSlope(points: readonly (readonly [x: number, y: number])[]): Slope {
  const slopes: number[] = []
  for (const [i, [x, y]] of points.entries())
    for (const [x2, y2] of points.slice(i + 1)) if (x2 !== x) slopes.push((y2 - y) / (x2 - x))
  slopes.sort((one, other) => one - other)
  const n = points.length
  const slope = medianOf(slopes)
  const residuals = points.map(([x, y]) => y - slope * x)
  const spread = Z * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18) * widening(residuals)
  const low = Math.floor((slopes.length - spread) / 2) - 1
  const high = Math.ceil((slopes.length + spread) / 2)
  return { slope, low: slopes[low] ?? null, high: slopes[high] ?? null }
}

/**
 * Returns by how much correlated samples say less: sqrt((1 + r) / (1 - r)) for neighbours' r. The
 * residuals of a line show less than the true correlation, which Marriott and Pope correct.
 */
function widening(residuals: readonly number[]): number {
  const middle = residuals.reduce((sum, value) => sum + value, 0) / residuals.length
  const deviations = residuals.map((value) => value - middle)
  const variance = deviations.reduce((sum, value) => sum + value * value, 0)
  if (variance === 0) return 1
  const shared = deviations.slice(1).reduce((sum, value, i) => sum + value * deviations[i]!, 0)
  const n = residuals.length
  const r = Math.min(Math.max((n * (shared / variance) + 2) / (n - 4), 0), 0.5)
  return Math.sqrt((1 + r) / (1 - r))
}

/** Returns the median of sorted numbers. */
function medianOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}
