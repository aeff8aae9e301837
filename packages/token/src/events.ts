import { type Channel, channel } from 'node:diagnostics_channel'

/** `session-stores:reuse`: a refresh token was used again, and its family was ended. */
export interface ReuseEvent {
  /** The handle of the family's session, as `store.list` returned it. */
  handle: string
  /** The `client` of `grant`. */
  client: string
}

/**
 * The channel `session-stores:reuse` of `node:diagnostics_channel`. A message means that a refresh
 * token is in the wrong hands: tell the user.
 *
 * @example
 * reuse.subscribe((message) => warn((message as ReuseEvent).client))
 */
export const reuse: Channel = channel('session-stores:reuse')
