import { type Channel, channel } from 'node:diagnostics_channel'

/** `session-stores:call`: a call of the driver has ended. */
export interface CallEvent {
  /** The driver's name, such as `redis`. */
  driver: string
  /** The verb of the driver, such as `read` or `write`. */
  verb: string
  /** How many sessions the call was about. */
  size: number
  /** Milliseconds. */
  duration: number
  /** `null` where the call succeeded. */
  error: unknown
}

/**
 * `session-stores:conflict`, `session-stores:gone` and `session-stores:unreadable`: see `events`.
 */
export interface SessionEvent {
  /** The driver's name, such as `redis`. */
  driver: string
  /** The handle of the session, as `list` returns it; never its id. */
  handle: string
  /** Why the session could not be read. Only on `unreadable`. */
  error?: unknown
}

/** `session-stores:ended`: this process has ended a session. */
export interface EndedEvent {
  /** The driver's name, such as `redis`. */
  driver: string
  /**
   * The handle of the session, as `list` returns it. Absent after `clear`, which ends every
   * session.
   */
  handle?: string
}

/** `session-stores:prune`: a round of pruning in the background has ended. */
export interface PruneEvent {
  /** The driver's name, such as `redis`. */
  driver: string
  /** How many rows were removed. */
  removed: number
  /** `null` where the round succeeded. */
  error: unknown
}

/**
 * The channels of `node:diagnostics_channel` on which the stores publish, for metrics and traces. A
 * channel without subscribers costs nothing.
 *
 * - `call` (`session-stores:call`, `CallEvent`): a call of the database has ended.
 * - `conflict` (`session-stores:conflict`, `SessionEvent`): two requests changed one session at the
 *   same time.
 * - `gone` (`session-stores:gone`, `SessionEvent`): a save was dropped because its session had
 *   ended.
 * - `ended` (`session-stores:ended`, `EndedEvent`): this process has ended a session, by `destroy`,
 *   `regenerate`, `revoke`, `revokeUser` or `clear`. Close the WebSocket of that session, and
 *   forget its tokens.
 * - `unreadable` (`session-stores:unreadable`, `SessionEvent`): `list` or `all` left a session out
 *   that cannot be read, or a session of another store cannot move in (option `legacy`).
 * - `prune` (`session-stores:prune`, `PruneEvent`): a round of pruning in the background has ended.
 *
 * What an operator should mend is a warning of the process and not an event: `process.on('warning')`
 * with the name `SessionStoresWarning` and a stable `code`. docs/troubleshooting.md explains each
 * code.
 *
 * @example
 * events.conflict.subscribe((message) => count((message as SessionEvent).driver))
 */
export const events: Readonly<
  Record<'call' | 'conflict' | 'gone' | 'ended' | 'unreadable' | 'prune', Channel>
> = {
  call: channel('session-stores:call'),
  conflict: channel('session-stores:conflict'),
  gone: channel('session-stores:gone'),
  ended: channel('session-stores:ended'),
  unreadable: channel('session-stores:unreadable'),
  prune: channel('session-stores:prune'),
}
