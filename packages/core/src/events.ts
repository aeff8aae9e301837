import { type Channel, channel } from 'node:diagnostics_channel'

/** `session-stores:call`: a call of the driver has ended. */
export interface CallEvent {
  driver: string
  verb: string
  /** How many sessions it was about. */
  size: number
  /** Milliseconds. */
  duration: number
  error: unknown
}

/** `session-stores:conflict`, `session-stores:gone`, `session-stores:unreadable`: see `events`. */
export interface SessionEvent {
  driver: string
  /** The handle of the session, as `list` gives it; never its id. */
  handle: string
  error?: unknown
}

/** `session-stores:prune`: a round in the background has ended. */
export interface PruneEvent {
  driver: string
  removed: number
  error: unknown
}

/**
 * What happens inside, on `node:diagnostics_channel`, for metrics and traces. Who does not subscribe pays nothing.
 *
 * - `call`: each call of the database
 * - `conflict`: somebody else wrote the session while this request worked on it
 * - `gone`: a save was dropped, for the session was destroyed or had expired
 * - `unreadable`: a session was left out of `list` or `all`, for it could not be read
 * - `prune`: a round of pruning in the background
 */
export const events: Readonly<Record<'call' | 'conflict' | 'gone' | 'unreadable' | 'prune', Channel>> = {
  call: channel('session-stores:call'),
  conflict: channel('session-stores:conflict'),
  gone: channel('session-stores:gone'),
  unreadable: channel('session-stores:unreadable'),
  prune: channel('session-stores:prune'),
}
