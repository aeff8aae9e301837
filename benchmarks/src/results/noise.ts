import type { Run } from './results.ts'
import { compare, counterpart } from './summary.ts'

/** What the two identical controls say about the reliability of differences. */
export interface Noise {
  verdict: 'quiet' | 'too noisy' | 'unknown'
  /** The reason in a sentence. */
  text: string
  /** The largest ratio between the two controls. */
  worst?: number
}

/** A run is useless if two medians of the same subject differ by more than this factor. */
const MOST = 1.1
/** The chance that a quiet run is called noisy, over all comparisons of its controls. */
const FALSE_ALARM = 0.05

/**
 * Judges the noise of a run. It is too noisy if its controls differ significantly or if their
 * medians are too far apart.
 */
export function noiseOf(run: Run): Noise {
  const cells = run.cells.filter(({ subject }) => subject === 'control-b')
  const ratios = cells.flatMap((cell) => {
    const other = counterpart(run, cell, 'control-a')
    const result = other && compare(cell, other, 'opsPerSecond', 1 - FALSE_ALARM / cells.length)
    return result ? [result] : []
  })
  if (ratios.length === 0)
    return { verdict: 'unknown', text: 'The run has no control, so nothing is known of its noise.' }
  const distance = (median: number) => Math.max(median, 1 / median)
  const worst = Math.max(...ratios.map(({ median }) => distance(median)))
  const differing = ratios.filter(({ significant }) => significant).length
  const apart = `the medians of one store that was measured twice lie up to ${percent(worst)} apart`
  if (differing > 0)
    return {
      ...{ verdict: 'too noisy', worst },
      text: `The run was too noisy: in ${differing} of ${ratios.length} comparisons, one store differs from itself.`,
    }
  if (worst > MOST) return { verdict: 'too noisy', worst, text: `The run was too noisy: ${apart}.` }
  if (!ratios.every(({ sure }) => sure))
    return {
      verdict: 'unknown',
      worst,
      text: `The run has too few rounds to tell noise from differences; ${apart}.`,
    }
  return { verdict: 'quiet', worst, text: `The run was quiet: ${apart}.` }
}

const percent = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)}%`
