import type { Measurement, OperationName, Parameters } from '../results/results.ts'
import type { Place } from '../subjects/subject.ts'

/** What is measured, once in each pass. Times in milliseconds. */
export interface Point {
  operation: OperationName
  parameters: Parameters
  /** In the first pass; then in the others. */
  warmUp: number
  warmUpAgain: number
  duration: number
}

interface Common {
  subject: string
  place: Place
}

/** Operations on the store itself, on one set of sessions. */
export interface StoreJob extends Common {
  kind: 'store'
  payload: number
  stored: number
  /** The sessions are there from an earlier job of this run. */
  filled: boolean
  points: readonly Point[]
  /** How often all points are measured, one after the other. */
  passes: number
  /** Milliseconds given to the engine to compile what will be measured. */
  warmUp: number
}

/** Requests to an Express application. */
export interface HttpJob extends Common {
  kind: 'http'
  payload: number
  stored: number
  points: readonly Point[]
  passes: number
  warmUp: number
}

/** Only stores the sessions; for jobs that find them `filled`. */
export interface FillJob extends Common {
  kind: 'fill'
  payload: number
  stored: number
}

export interface ExpiryJob extends Common {
  kind: 'expiry'
  sessions: number
}

export interface PruningJob extends Common {
  kind: 'pruning'
  payload: number
  stored: number
  expired: number
  points: readonly Point[]
}

/** Stores sessions that soon expire, and stays, so that whatever removes them goes on. */
export interface ReclaimJob extends Common {
  kind: 'reclaim'
  sessions: number
  /** Milliseconds; `watched` counts from the deadline. */
  life: number
  watched: number
}

export type Job = StoreJob | HttpJob | FillJob | ExpiryJob | PruningJob | ReclaimJob

/** From the child; `index` is of the job's points. */
export type Message =
  | { kind: 'measured'; index: number; measurement: Measurement }
  | { kind: 'expiry'; late: number[]; early: number[] }
  /** The sessions are stored; the last one's deadline, in epoch milliseconds. */
  | { kind: 'filled'; deadline: number }
  /** Asks what the server has done so far; answered with `Usage`. */
  | { kind: 'usage' }
  /** Lets the other subjects measure; answered with anything when it is this one's turn again. */
  | { kind: 'pass' }
  | { kind: 'done' }
  | { kind: 'failed'; reason: string }

/** What the subject's server has done and used so far. */
export interface Usage {
  roundTrips: number | null
  commands: number | null
  /** Nanoseconds of CPU time by process. */
  cpu: Record<number, number>
}
