import type { DatabaseId } from '@session-stores/testbed/databases'
import type { Leak } from './leaks.ts'

/** The messages between the program and the process of the application. */

/** The arguments of the application's process. */
export interface Settings {
  readonly database: DatabaseId
  readonly place: string
  readonly seed: number
  readonly leak?: Leak
}

/** What the program tells the application. Each order is answered with a `Report`. */
export type Order =
  /** Makes requests until the next order, which begins when all requests have ended. */
  | 'load'
  /** Ends the load. */
  | 'rest'
  /** Collects garbage, and measures the process. */
  | 'measure'
  /** Resets the connections to the server. */
  | 'cut'
  /** Closes the store, and ends. */
  | 'end'

/** What the application has done so far, and its sizes where it was told to measure them. */
export interface Report {
  readonly requests: number
  readonly failed: number
  readonly codes: Readonly<Record<string, number>>
  readonly sizes?: Readonly<Record<string, number>>
}
