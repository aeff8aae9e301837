import type { Row, Touch } from '@session-stores/core'
import { beginOfSpan, firstOfStep, ttlOf } from './lifetime.ts'
import { digits, HASH_LENGTH, TIME_LENGTH } from './row.ts'
import type { Scripts } from './scripts.ts'
import { TOUCH, TOUCH_INDEXED } from './statements.ts'
import type { UserIndexes } from './user-indexes.ts'

/** The verb `touch`: moves deadlines and keeps the indexes of the users up to date. */
export class Touches {
  readonly #scripts: Scripts
  readonly #prefix: string
  readonly #indexes: UserIndexes
  readonly #read: (keys: readonly string[]) => Promise<Row[]>

  constructor(
    scripts: Scripts,
    prefix: string,
    indexes: UserIndexes,
    read: (keys: readonly string[]) => Promise<Row[]>,
  ) {
    this.#scripts = scripts
    this.#prefix = prefix
    this.#indexes = indexes
    this.#read = read
  }

  async touch(touches: readonly Touch[], now: number): Promise<void> {
    const times = this.#scripts.timesOf(now, this.#scripts.start)
    const crossing = await this.#move(touches, now, times, false)
    if (crossing.length === 0) return
    // The user in a touch may be unknown, or the one before another request's save. The row knows.
    const rows = await this.#read(crossing.map(({ key }) => key))
    const users = new Map(rows.map(({ key, user }) => [key, user]))
    const owned = crossing.map((touch) => ({ ...touch, user: users.get(touch.key) ?? null }))
    await this.#indexes.add(owned, now)
    // A session that has another user by now was saved meanwhile, with a deadline of its own.
    await this.#move(owned, now, times, true)
  }

  /**
   * Moves the deadlines. Returns the touches whose user-index entry must be extended first.
   *
   * @param isIndexed whether the indexes of the named users cover the deadlines
   */
  #move(touches: readonly Touch[], now: number, times: string, isIndexed: boolean): Promise<Touch[]> {
    // Touches that come together often share their deadline, which is then sent once.
    let [shared, sharedTimes] = [Number.NaN, '']
    return this.#scripts.runTogether(
      isIndexed ? TOUCH_INDEXED : TOUCH,
      times,
      touches,
      ({ key, user, tag, expiresAt }, isFirst) => {
        const isSame = expiresAt === shared && !isFirst
        if (expiresAt !== shared) {
          shared = expiresAt
          sharedTimes = toTimes(expiresAt, now)
        }
        const begin = isSame ? '' : sharedTimes
        const row = isIndexed ? begin + (user ?? '').padEnd(HASH_LENGTH) : begin
        return [this.#prefix + key, tag === undefined ? row : `${row}${tag} `]
      },
    )
  }
}

/** Returns the four times that `TOUCH` takes for a deadline. */
const toTimes = (expiresAt: number, now: number): string =>
  digits(expiresAt) +
  digits(firstOfStep(expiresAt)) +
  digits(beginOfSpan(expiresAt)) +
  ttlOf(expiresAt, now).padStart(TIME_LENGTH, '0')
