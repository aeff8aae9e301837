/**
 * How long a key outlives its deadline at least, in milliseconds: core judges deadlines by the
 * application's clock, and the clocks of processes differ.
 */
export const MARGIN = 30_000
/** The end of a key's life moves only in steps of this length, in milliseconds. */
const STEP = 30_000
/** Index entries move only when a deadline enters the next of these spans, in milliseconds. */
export const SPAN = 3_600_000

/** Returns when a key with this deadline goes, in epoch milliseconds. */
const endOfKey = (expiresAt: number): number => Math.ceil((expiresAt + MARGIN) / STEP) * STEP

/** Returns when the span of this deadline begins, in epoch milliseconds. */
export const beginOfSpan = (expiresAt: number): number => Math.floor(expiresAt / SPAN) * SPAN

/**
 * Returns when the span of this deadline ends, in epoch milliseconds: up to then at least, the
 * index of the user covers a session with this deadline.
 */
export const endOfSpan = (expiresAt: number): number => (Math.floor(expiresAt / SPAN) + 1) * SPAN

/**
 * Returns the earliest deadline in the same span whose key lives as long as that of this deadline.
 */
export const firstOfStep = (expiresAt: number): number =>
  Math.max(endOfKey(expiresAt) - MARGIN - STEP + 1, beginOfSpan(expiresAt))

/** Returns the TTL of a key with this deadline, in milliseconds, or `'0'` where it has passed. */
export const ttlOf = (expiresAt: number, now: number): string =>
  expiresAt > now ? String(endOfKey(expiresAt) - now) : '0'
