import { type Row, timers } from '@session-stores/core'
import { endOfSpan, MARGIN, ttlOf } from './lifetime.ts'
import { digits, TIME_LENGTH } from './row.ts'
import type { Scripts } from './scripts.ts'
import { INDEX, UNINDEX } from './statements.ts'

const { uptime } = timers

/** The part of a row that its entry in an index depends on. */
export type Indexed = Pick<Row, 'key' | 'user' | 'expiresAt'>

/**
 * Within how many milliseconds an ended session may leave its user's index. That must be well
 * before its tombstone goes: a save that begins the session again learns from the tombstone that
 * the entry has to be renewed.
 */
const REMOVAL_LIMIT = MARGIN / 3

/** The indexes of the users: a sorted set per user, which names the user's sessions. */
export class UserIndexes {
  readonly #scripts: Scripts
  readonly #prefix: string

  constructor(scripts: Scripts, prefix: string) {
    this.#scripts = scripts
    this.#prefix = prefix
  }

  /** Returns the key of the user's index. */
  keyOf(user: string): string {
    return `${this.#prefix}:${user}`
  }

  /** Returns the entry of a session in its user's index, as `WRITE_INDEXED` takes it. */
  entryOf({ key, user, expiresAt }: Indexed, now: number): string {
    if (user === null) return ''
    const until = endOfSpan(expiresAt)
    return digits(until) + ttlOf(until, now).padStart(TIME_LENGTH, '0') + key
  }

  /**
   * Enters sessions into the indexes of their users, or returns `undefined` where no session has a
   * user. Must be sent before the sessions, so that an index always names all sessions.
   *
   * @param sign `+` raises the scores of entries that exist
   */
  add(rows: readonly Indexed[], now: number, sign: '' | '+' = ''): Promise<unknown> | undefined {
    const owned = rows.filter((row) => row.user !== null)
    if (owned.length === 0) return undefined
    const past = this.#scripts.timesOf(Math.max(0, now - MARGIN))
    return this.#scripts.run(INDEX, past, owned, ({ key, user, expiresAt }) => {
      const until = endOfSpan(expiresAt)
      return [this.keyOf(user!), key, `${sign}${until}`, ttlOf(until, now)]
    })
  }

  /**
   * Removes ended sessions from the indexes of their users, unless their call began too long ago.
   * An entry that stays is removed later, as every entry that is past.
   *
   * @param start when the call that ended the sessions began, as `uptime()` has it
   */
  async remove(ended: readonly Indexed[], now: number, start: number): Promise<void> {
    if (uptime() - start >= REMOVAL_LIMIT) return
    const { link, timeLimit } = this.#scripts
    const times = digits(now) + link.serverTimeAt(uptime() + Math.min(timeLimit, REMOVAL_LIMIT))
    await this.#scripts
      .run(UNINDEX, times, ended, ({ key, user, expiresAt }) => [
        this.keyOf(user!),
        key,
        `${endOfSpan(expiresAt)}`,
      ])
      .catch(() => {})
  }
}
