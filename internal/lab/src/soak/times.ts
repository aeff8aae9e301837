import type { DatabaseId } from '@session-stores/testbed/databases'

/** The times of the application, in milliseconds of its own clock unless they say otherwise. */
export interface Times {
  /** How many seconds the application's clock moves in a second. */
  readonly speed: number
  /** How far the application's clock is behind at first. */
  readonly behind: number
  /** How long a session lives without a request. */
  readonly lifetime: number
  readonly tombstoneTimeout: number
  /** In real milliseconds. */
  readonly pruneInterval: number
  /** How long the number of rows takes to settle, in real milliseconds. */
  readonly settling: number
}

const MINUTE = 60_000
const MONTH = 30 * 86_400_000

/**
 * The times by database. The clocks of the applications run fast, so that what the stores round to
 * minutes and hours takes seconds. Except on Redis, a row is removed when both the clock of the
 * application and that of the database have passed its deadline, so the application's clock stays
 * behind.
 */
const TIMES: Readonly<Record<DatabaseId, Times>> = {
  // Redis removes a key by its own clock, here up to 210 seconds after the last request. The index of
  // a user names an expired session for up to one hour on the application's clock: 90 seconds.
  redis: {
    speed: 40,
    behind: 0,
    lifetime: 2.5 * MINUTE,
    tombstoneTimeout: MINUTE,
    pruneInterval: 1000,
    settling: 240_000,
  },
  postgres: {
    speed: 20,
    behind: MONTH,
    lifetime: 3 * MINUTE,
    tombstoneTimeout: MINUTE,
    pruneInterval: 1000,
    settling: 20_000,
  },
  sqlite: {
    speed: 60,
    behind: MONTH,
    lifetime: 5 * MINUTE,
    tombstoneTimeout: MINUTE,
    pruneInterval: 1000,
    settling: 10_000,
  },
  // Rows go at a full hour, an hour or two after their deadline.
  mongodb: {
    speed: 300,
    behind: MONTH,
    lifetime: 50 * MINUTE,
    tombstoneTimeout: 10 * MINUTE,
    pruneInterval: 1000,
    settling: 45_000,
  },
}

/** Returns the times of an application on this database. */
export const timesOf = (database: DatabaseId): Times => TIMES[database]
