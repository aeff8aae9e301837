import type { SessionData } from 'express-session'
import type { Driver } from './driver.ts'
import type { SessionStoreError } from './errors.ts'

/** A session of another store, as its row holds it. */
export interface LegacySession {
  /** Plain data with a cookie. */
  session: SessionData
  /** Epoch milliseconds; `undefined` where the row has no deadline. */
  expiresAt: number | undefined
}

/** A row of a scan: the session, or why it cannot be read (`CORRUPT` or `SEAL_BROKEN`). */
export type LegacyRow = {
  /** The id of the session, as the cookie holds it. */
  id: string
} & ({ found: LegacySession; error?: undefined } | { found?: undefined; error: SessionStoreError })

/** Which rows a page of `scan` holds. */
export interface LegacyQuery {
  /** The `next` of the previous page. It may come from another process, and from before a crash. */
  after?: string | undefined
  /** About how many rows, at least 1. A page may be longer, or shorter. */
  limit: number
  /** The time, in epoch milliseconds. */
  now: number
}

/** A page of `scan`. */
export interface LegacyPage {
  rows: LegacyRow[]
  /** Absent on the last page. */
  next?: string | undefined
}

/**
 * Reads the rows of another session store, for the option `legacy` and for `migrate`. The readers
 * of `@session-stores/legacy` are such; write one for a store that they leave out.
 *
 * Errors are `SessionStoreError`s: `CORRUPT` or `SEAL_BROKEN` for one row that is no session,
 * `BAD_STORAGE` where the rows are not those of that store at all, `UNAVAILABLE` and the other codes
 * for what the database refuses. No message holds an id, a payload or a credential.
 */
export interface LegacyReader {
  /** The package whose rows these are, such as `connect-redis`, for messages. */
  readonly name: string
  /**
   * Returns why a store with this driver may not read these rows, or `undefined`. A store that kept
   * its own rows among them would hand them out as sessions of the other package.
   */
  refuse(driver: Pick<Driver, 'name' | 'place'>): string | undefined
  /**
   * Returns the session, or `null` where there is no row. It may return an expired session.
   *
   * @param id the id, as the cookie holds it.
   * @param now the time of the application, in epoch milliseconds.
   */
  read(id: string, now: number): Promise<LegacySession | null>
  /** Removes the row. Succeeds where there is none. */
  delete(id: string): Promise<void>
  /**
   * Returns a page of all rows, expired ones too. Each row that is there from the first page to the
   * last is on one of them, whatever is deleted meanwhile.
   */
  scan(query: LegacyQuery): Promise<LegacyPage>
  /** Returns about how many rows there are. */
  count(): Promise<number>
  /**
   * Looks at some rows, and rejects with `BAD_STORAGE` or `SEAL_BROKEN` where they show that the
   * reader does not fit the data: another table, another key, another time zone.
   *
   * @param now the time of the application, in epoch milliseconds.
   */
  check(now: number): Promise<void>
}

/** The option `legacy` of every store: from where sessions move in, and until when. */
export interface LegacyOptions {
  /** The rows of the other store, by a reader of `@session-stores/legacy`. */
  from: LegacyReader
  /**
   * When the last session of the other store has ended. From then on its rows are not read, and the
   * records of signed-out sessions, which keep the other store's rows from coming back, may go.
   */
  until: Date
  /**
   * Copies a session, and leaves the row of the other store: for the time in which processes with
   * that store still run. A session that such a process ends is ended here, too.
   *
   * @default false
   */
  keep?: boolean
}

/** How `SessionStore.moveIn` works. */
export interface MoveOptions {
  /**
   * Leaves the rows of the other store.
   *
   * @default false
   */
  keep?: boolean
  /**
   * Says what would happen, and writes nothing.
   *
   * @default false
   */
  dryRun?: boolean
}

/**
 * What became of a row of another store. `moved`: the session is in this store now. `present`: it
 * was there already. `ended`: it was signed out. `expired`: its time is over. `unreadable`: the row
 * is no session, or none that this store can hold.
 */
export type MoveOutcome = 'moved' | 'present' | 'ended' | 'expired' | 'unreadable'

const READER = ['refuse', 'read', 'delete', 'scan', 'count', 'check']

/** Whether the value is a reader. */
const isLegacyReader = (value: unknown): value is LegacyReader =>
  typeof (value as LegacyReader | null)?.name === 'string' &&
  READER.every((name) => typeof (value as never)[name] === 'function')

/** Whether the value can be the option `legacy`. */
export function isLegacyOptions(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { from, until, keep = false, ...others } = value as Partial<LegacyOptions>
  return (
    isLegacyReader(from) &&
    until instanceof Date &&
    !Number.isNaN(until.getTime()) &&
    typeof keep === 'boolean' &&
    Object.keys(others).length === 0
  )
}
