/** What a test measured of an outage. Times are seconds. */
export interface OutageReport {
  /** What the server says it is. */
  server: string
  /** Calls in all, and those that failed. */
  calls: number
  failed: number
  /** The longest time without an answer that was no error. */
  silence: number
  /** From the outage to the last failure. */
  recovery: number
  /** The longest call. */
  longest: number
  /** Acknowledged saves, and those that were lost. */
  saves: number
  lost: number
  /** Acknowledged logouts, and those that were undone. */
  logouts: number
  undone: number
}

/** Hands the figures of a test (of vitest, by its context) to the `OutageReporter`. */
export function report(context: { task: { meta: object } }, figures: OutageReport): void {
  Object.assign(context.task.meta, { outage: figures })
}

/** Returns what a test handed over, if anything. */
export const reported = (meta: object): OutageReport | undefined => (meta as { outage?: OutageReport }).outage
