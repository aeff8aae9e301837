import type { Step } from './closed-loop.ts'

/** A measured operation: steps on positions from 0 to `size`. */
export interface Operation {
  step: Step
  size: number
  /** Is called before a warm-up and its measurement. */
  begin?(): Promise<void>
  /** Is called after a measurement. Ends what `begin` began. */
  end?(): Promise<void>
  /** Is called after a measurement. Returns how many written sessions lack their last save. */
  verify?(): Promise<number>
  /** Is called after a measurement. Restores the sessions that other operations expect. */
  restore?(): Promise<void>
}
