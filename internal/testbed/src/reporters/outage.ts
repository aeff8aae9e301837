/**
 * The figures of an outage, as the suite for drivers measures them. Times are seconds. The type is
 * declared here, because an import would type-check the suites wherever a test starts a server.
 */
export interface OutageReport {
  /** The name and version that the server reports. */
  server: string
  /** The number of calls, and how many of them failed. */
  calls: number
  failed: number
  /** The longest time without a successful call. */
  silence: number
  /** The time from the outage to the last failure. */
  recovery: number
  /** The duration of the longest call. */
  longest: number
  /** The number of acknowledged saves, and how many of them were lost. */
  saves: number
  lost: number
  /** The number of acknowledged logouts, and how many of them were undone. */
  logouts: number
  undone: number
}

/** Passes the figures of a test to the `OutageReporter` through the test's vitest context. */
export function report(context: { task: { meta: object } }, figures: OutageReport): void {
  Object.assign(context.task.meta, { outage: figures })
}

/** Returns the figures that a test reported, if any. */
export const readReport = (meta: object): OutageReport | undefined =>
  (meta as { outage?: OutageReport }).outage
