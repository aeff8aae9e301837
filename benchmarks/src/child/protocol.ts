import type { WarmUp } from '../plan/scale.ts'
import type { Measurement, OperationName, Parameters } from '../results/results.ts'
import type { Place } from '../subjects/subject.ts'

/** One measurement of each pass. Times are in milliseconds. */
export interface Point {
  operation: OperationName
  parameters: Parameters
  /** The warm-up in the first pass; `warmUpAgain` is the warm-up in later passes. */
  warmUp: number
  warmUpAgain: number
  duration: number
}

interface Common {
  subject: string
  place: Place
}

/** Measures operations on the store itself, with one set of sessions. */
export interface StoreJob extends Common {
  kind: 'store'
  payload: number
  stored: number
  /** Whether an earlier job of this run has already stored the sessions. */
  filled: boolean
  points: readonly Point[]
  /** How often the list of points is measured. */
  passes: number
  /** Milliseconds in which the engine compiles the measured code, with many calls at once. */
  warmUp: number
  /** The same with one call at once. */
  warmUpAlone: number
}

/** Measures requests to an Express application. */
export interface HttpJob extends Common {
  kind: 'http'
  payload: number
  stored: number
  points: readonly Point[]
  passes: number
  warmUp: number
}

/** Measures several processes at the same time. Each has a store of its own on the same place. */
export interface FleetJob extends Common {
  kind: 'fleet'
  payload: number
  stored: number
  points: readonly Point[]
  /** How often the list of points is measured. */
  passes: number
  /** What all processes do before the first measurement, one after the other. */
  warmUps: readonly WarmUp[]
}

/** Only stores the sessions, for later jobs that are `filled`. */
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

/**
 * Stores sessions that expire soon. The process keeps running, so that the store's own pruning
 * does.
 */
export interface ReclaimJob extends Common {
  kind: 'reclaim'
  sessions: number
  /**
   * The life of the sessions, and how long storage is watched after the deadline. In milliseconds.
   */
  life: number
  watched: number
}

export type Job = StoreJob | HttpJob | FleetJob | FillJob | ExpiryJob | PruningJob | ReclaimJob

/** A message from the child. `index` refers to the job's points. */
export type Message =
  | { kind: 'measured'; index: number; measurement: Measurement }
  | { kind: 'expiry'; late: number[]; early: number[] }
  /** The sessions are stored. `deadline` is the deadline of the last one in epoch milliseconds. */
  | { kind: 'filled'; deadline: number }
  /** Asks what the server has done so far. The parent answers with `Usage`. */
  | { kind: 'usage' }
  /** Lets the other subjects measure. The parent answers when it is this subject's turn again. */
  | { kind: 'pass' }
  /** Lets slots of the cluster move, or no longer. The parent answers when it has done so. */
  | { kind: 'slots'; isMoving: boolean }
  | { kind: 'done' }
  | { kind: 'failed'; reason: string }

/** What the subject's server has done and used so far. */
export interface Usage {
  roundTrips: number | null
  commands: number | null
  /** Nanoseconds of CPU time by the id of the thread, which is unique on the machine. */
  cpu: Record<number, number>
}
