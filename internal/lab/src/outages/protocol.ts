/** The messages between the program and the process under load. Times are epoch milliseconds. */

/** The `operationTimeout` of the stores, in milliseconds. */
export const OPERATION_TIMEOUT = 5000
/** Calls per second. */
export const RATE = 2000

export type Verb = 'lookup' | 'touch' | 'save' | 'create'

export type Order = { do: 'load' } | { do: 'watch'; since: number } | { do: 'end' }

/** A failed first save of a session. */
export interface Failure {
  id: string
  begin: number
  end: number
}

export interface Report {
  calls: number
  failed: number
  /** The number of errors by code. */
  codes: Record<string, number>
  successes: Partial<Record<Verb, number>>
  /** The duration of the longest call, in milliseconds. */
  longest: number
  /** The number of calls that took longer than `operationTimeout` plus 250 ms. */
  over: number
  /** The time of each verb's first success after the server was back. */
  served: Partial<Record<Verb, number>>
  /** Memory in bytes, once per second after a garbage collection. */
  memory: { at: number; heap: number; rss: number }[]
  failures: Failure[]
  /** The ids of failed first saves whose session exists in the end. */
  present: string[]
}
