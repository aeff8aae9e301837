import type { Figures } from '@session-stores/driver-suite/outage'

/** The figures of an outage, and the server that had it. */
export interface OutageReport extends Figures {
  /** What the server says it is. */
  server: string
}

/** Passes the figures of a test to the `OutageReporter` through the test's vitest context. */
export function report(context: { task: { meta: object } }, figures: OutageReport): void {
  Object.assign(context.task.meta, { outage: figures })
}

/** Returns the figures that a test reported, if any. */
export const readReport = (meta: object): OutageReport | undefined =>
  (meta as { outage?: OutageReport }).outage
