import type { SessionData } from 'express-session'
import { uptime } from '../dispatch/timers.ts'
import type { Row } from '../driver.ts'
import type { Codec } from '../encoding/codec.ts'

/** What another part of the session layer makes of a session, or of the fact that there is none. */
export type Derive<T> = (session: SessionData | null) => T

/**
 * What a process knows of one session, and since when. It is a class, and its fields are assigned
 * one by one: see docs/decisions/0005-classes-on-the-hot-path.md.
 */
export class Known implements Row {
  readonly key: string
  readonly tag: string
  readonly user: string | null
  readonly createdAt: number
  /** The end of the session, in epoch milliseconds. Touches of this process move it. */
  expiresAt: number
  /** `null` where the session was not there. */
  data: string | null
  /** Whether the database had no row at all. */
  readonly isMissing: boolean
  /** When the database was asked, by the clock of the store, in epoch milliseconds. */
  readonly time: number
  /** When the database was asked, by `uptime`, which no change of the system's clock moves. */
  readonly uptime: number
  /** Whether it counts no longer, because something newer is known, or because it was forgotten. */
  isOver = false
  #isOpen = false
  #facts: unknown = undefined
  #derive: unknown = undefined

  constructor(key: string, row: Row | undefined, expiresAt: number, time: number, uptime: number) {
    this.key = key
    this.tag = row === undefined ? '' : row.tag
    this.user = row === undefined ? null : row.user
    this.createdAt = row === undefined ? 0 : row.createdAt
    this.expiresAt = expiresAt
    this.data = row === undefined ? null : row.data
    this.isMissing = row === undefined
    this.time = time
    this.uptime = uptime
  }

  /**
   * Returns the encoded session. A seal is opened once, because that costs more than the rest of a
   * lookup.
   *
   * @throws SEAL_BROKEN or NOT_SEALED
   */
  open(codec: Codec): string {
    if (!this.#isOpen) {
      this.data = codec.unwrap(this)
      this.#isOpen = true
    }
    return this.data!
  }

  /**
   * Whether the database was asked less than `freshness` milliseconds ago.
   *
   * @param now the time by the clock of the store, in epoch milliseconds.
   */
  isRecent(freshness: number, now: number): boolean {
    return isRecent(this, freshness, now)
  }

  /** Returns what `derive` made of the session, if it has been asked to. */
  factsOf<T>(derive: Derive<T>): T | undefined {
    return this.#derive === derive ? (this.#facts as T) : undefined
  }

  /** Remembers what `derive` makes of the session. */
  learn<T>(derive: Derive<T>, facts: T): void {
    this.#derive = derive
    this.#facts = facts
  }
}

/**
 * Whether it began less than `freshness` milliseconds ago. Both clocks must say so, because the
 * clock of the system may be set.
 *
 * @param now the time by the clock of the store.
 */
export function isRecent(
  { time, uptime: begun }: Pick<Known, 'time' | 'uptime'>,
  freshness: number,
  now: number,
): boolean {
  const age = now - time
  return freshness > 0 && age >= 0 && age < freshness && uptime() - begun < freshness
}
