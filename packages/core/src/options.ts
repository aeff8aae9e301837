import type { KeyObject } from 'node:crypto'
import type { SessionData } from 'express-session'
import type { Awaitable } from './driver.ts'

/**
 * What every store takes. All durations are milliseconds, as `cookie.maxAge` is.
 * A wrong option is a `TypeError` at construction that names it and says what it takes.
 */
export interface StoreOptions {
  /** How long a session lives without a request, where the cookie itself does not say (no `maxAge`, no `expires`). Default 1 day. */
  idleTimeout?: number
  /** How long a session lives at most, from its creation; no touch, save or cookie passes it. Default `false`: no bound. See OWASP ASVS 5.0, 7.3. */
  absoluteTimeout?: number | false
  /** A touch that would move the deadline by less than this is not sent, unless the session is about to lapse. Default `false`: every touch is sent. */
  touchAfter?: number | false
  /** How long a destroyed session refuses late saves of plain objects; longer than your longest request. Default 60,000. `false` or 0: no tombstone is kept. */
  tombstoneTimeout?: number | false
  /** How often expired rows are removed, give or take a quarter. Default 15 minutes; `false` or 0: never, call `prune()` yourself. */
  pruneInterval?: number | false
  /** Every call ends within this, with an answer or an error. Default 5,000. */
  operationTimeout?: number
  /** How many calls may wait before further ones fail with `OVERLOADED`. Default 10,000. */
  maxQueue?: number
  /** The largest session, in bytes as stored. Default 16,000,000. */
  maxPayload?: number
  /** Stores SHA-256 of the id in place of the id, so that a stolen dump holds no usable cookie. Default `true`. */
  hashIds?: boolean
  /** Seals each session with AES-256-GCM, bound to its row. The first key seals, every key opens; the next save seals anew. Default `false`. */
  seal?: SealOptions | false
  /** Turns sessions into text and back. Default JSON. */
  serializer?: Serializer
  /** Who a session belongs to, for `list({ user })` and `revokeUser`; `undefined` or `null`: nobody. Default: nobody. */
  user?: (session: SessionData) => string | number | null | undefined
  /** What a save does when somebody else saved meanwhile: merge both by top-level key (default), overwrite, or fail with `CONFLICT`. */
  onConflict?: 'merge' | 'overwrite' | 'error'
  /** What a save of a session that is gone does: nothing (default), or fail with `GONE`. Never does it bring the session back. */
  onGone?: 'ignore' | 'error'
  /** The clock, in epoch milliseconds. Default `Date.now`; for tests. */
  now?: () => number
}

export interface SealOptions {
  /** 32 random bytes each, or as 64 hex digits or base64(url), or a secret `KeyObject`. */
  keys: readonly (Uint8Array | string | KeyObject)[]
  /** Reads rows that are not sealed yet too, while an existing store is being moved to sealing. Default `false`: `NOT_SEALED`. */
  acceptPlain?: boolean
}

export interface Serializer {
  stringify(session: SessionData): Awaitable<string>
  parse(text: string): Awaitable<SessionData>
}
