import type { Figures } from './outage.ts'

/** What a test tells of its outage. */
export interface Report extends Figures {
  /** What its server says it is. */
  server: string
}

/** Hands the figures of a test (of vitest, by its context) to the `OutageReporter`. */
export function report(context: { task: { meta: object } }, figures: Report): void {
  Object.assign(context.task.meta, { outage: figures })
}

/** What a test handed over, if anything. */
export const reported = (meta: object): Report | undefined => (meta as { outage?: Report }).outage
