import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

/** An hour, in microseconds. */
const LONGEST = 3_600_000_000

/** Keeps latencies to two digits, which is closer than two measurements come to each other. */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST,
    numberOfSignificantValueDigits: 2,
    autoResize: false,
  })

  /** Milliseconds. */
  record(latency: number): void {
    this.#histogram.recordValue(Math.min(Math.max(Math.round(latency * 1000), 1), LONGEST))
  }

  encoded(): string {
    return encodeIntoCompressedBase64(this.#histogram)
  }
}
