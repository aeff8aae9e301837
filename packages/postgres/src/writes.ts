import { timers, type Write } from '@session-stores/core'
import type { Queries } from './queries.ts'
import {
  createdAtOf,
  dataOf,
  expectOf,
  expiresAtOf,
  extendOf,
  type Fields,
  keyOf,
  keysOf,
  landedKeysOf,
  oneOrMany,
  tagOf,
  toArray,
  toScalars,
  toTexts,
  userOf,
} from './row.ts'
import type { Statements } from './statements.ts'

const isUpdate = ({ expect }: Write): boolean => !!expect
const isUsual = ({ data, extend }: Write): boolean => data !== null && extend === true

/** Sends writes as updates of rows that exist, and as INSERT statements for all others. */
export class Writes {
  readonly #queries: Queries
  readonly #statements: Statements

  constructor(queries: Queries, statements: Statements) {
    this.#queries = queries
    this.#statements = statements
  }

  /** Returns the keys of the writes that landed, now or when they were sent before. */
  async write(writes: readonly Write[], now: number): Promise<string[]> {
    const landed = await this.#send(writes, now)
    if (landed.length === writes.length) return landed
    // Where the row carries the own tag of a refused write, the write was sent before and landed.
    const refused = writes.filter(({ key }) => !landed.includes(key))
    const carried = await this.#queries.run(
      this.#statements.carried,
      refused.map(keyOf).join('\n'),
      refused.map(tagOf).join('\n'),
      now,
    )
    return [...landed, ...keysOf(carried)]
  }

  async #send(writes: readonly Write[], now: number): Promise<string[]> {
    const updates = writes.filter(isUpdate)
    if (updates.length === writes.length) return this.#update(writes, now)
    if (updates.length === 0) return this.#put(writes, now)
    // These are two statements, because one statement could not lock all rows in the order of keys.
    const others = writes.filter((write) => !isUpdate(write))
    return (await Promise.all([this.#update(updates, now), this.#put(others, now)])).flat()
  }

  /** Sends creates, and tombstones that always land. */
  async #put(writes: readonly Write[], now: number): Promise<string[]> {
    const answer = await this.#queries.run(
      this.#statements.put[oneOrMany(writes)],
      ...toColumns(writes),
      toArray(writes.filter(({ expect }) => expect === undefined).map(keyOf)),
      now,
    )
    return landedKeysOf(writes, answer)
  }

  /** Sends the usual saves by a cheaper statement, and what that one refuses by the general one. */
  async #update(writes: readonly Write[], now: number): Promise<string[]> {
    const start = timers.uptime()
    if (writes.length === 1 || !writes.every(isUsual)) return this.#updateSince(start, writes, now)
    const landed = landedKeysOf(writes, await this.#save(start, writes, now))
    if (landed.length === writes.length) return landed
    const found = new Set(landed)
    const others = writes.filter(({ key }) => !found.has(key))
    return [...landed, ...(await this.#updateSince(start, others, now))]
  }

  #save(start: number, writes: readonly Write[], now: number): Promise<Fields[]> {
    return this.#queries.runSince(
      start,
      this.#statements.save,
      toTexts(writes, keyOf),
      toTexts(writes, tagOf),
      toTexts(writes, userOf),
      toScalars(writes, expiresAtOf),
      toTexts(writes, dataOf),
      toTexts(writes, expectOf),
      now,
    )
  }

  async #updateSince(start: number, writes: readonly Write[], now: number): Promise<string[]> {
    const answer = await this.#queries.runSince(
      start,
      this.#statements.update[oneOrMany(writes)],
      ...toColumns(writes),
      toTexts(writes, expectOf),
      toScalars(writes, extendOf),
      now,
    )
    return landedKeysOf(writes, answer)
  }
}

/** Returns the columns that every write has, as parameters. */
const toColumns = (writes: readonly Write[]) => [
  toTexts(writes, keyOf),
  toTexts(writes, tagOf),
  toTexts(writes, userOf),
  toScalars(writes, createdAtOf),
  toScalars(writes, expiresAtOf),
  toTexts(writes, dataOf),
]
