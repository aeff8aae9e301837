/** What the program of the outages and the process under load tell each other. Times are epoch milliseconds. */

/** Of the stores, in milliseconds. */
export const OPERATION_TIMEOUT = 5000
/** Calls a second. */
export const RATE = 2000

export type Verb = 'lookup' | 'touch' | 'save' | 'create'

export type Order = { do: 'load' } | { do: 'watch'; since: number } | { do: 'end' }

/** A first save that was answered with an error. */
export interface Failure {
  id: string
  begin: number
  end: number
}

export interface Report {
  calls: number
  failed: number
  /** How often each code was answered. */
  codes: Record<string, number>
  successes: Partial<Record<Verb, number>>
  /** The longest call, in milliseconds. */
  longest: number
  /** Calls that took longer than `operationTimeout` and 250 ms. */
  over: number
  /** When each verb first succeeded after the server was back. */
  served: Partial<Record<Verb, number>>
  /** Bytes, once a second, after a collection of garbage. */
  memory: { at: number; heap: number; rss: number }[]
  failures: Failure[]
  /** Of the failures, those whose session is there in the end. */
  present: string[]
}
