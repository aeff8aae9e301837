import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'

/** One hour in microseconds. */
const LONGEST = 3_600_000_000

/** Records latencies with two significant digits, which is more precise than measurements are. */
export class Latencies {
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST,
    numberOfSignificantValueDigits: 2,
    autoResize: false,
  })

  /** Records a latency in milliseconds. */
  record(latency: number): void {
    this.#histogram.recordValue(Math.min(Math.max(Math.round(latency * 1000), 1), LONGEST))
  }

  encoded(): string {
    return encodeIntoCompressedBase64(this.#histogram)
  }
}
