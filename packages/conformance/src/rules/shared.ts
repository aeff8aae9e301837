/** What the rules have in common. */

export const ID = 'the-session-id'

/** Milliseconds. */
export const HOUR = 3_600_000
export const YEAR: number = 365 * 24 * HOUR
/** How long a session lives whose end is waited for, in milliseconds. */
export const SHORT = 1000
/** When the end of a `SHORT` session is past doubt, also for a store that counts in whole seconds. Milliseconds. */
export const LONG_AFTER: number = 3 * SHORT

export const README = 'https://github.com/expressjs/session#session-store-implementation'

/** So many ids, each another one. */
export const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => `session-${i}`)
