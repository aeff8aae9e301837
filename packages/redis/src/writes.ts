import { UncertainWriteError, type Write } from '@session-stores/core'
import { endOfSpan, ttlOf } from './lifetime.ts'
import { digits, TIME_LENGTH, toValue } from './row.ts'
import type { Note, Scripts } from './scripts.ts'
import { CROSSING, ENDED, REVIVED, WRITE, WRITE_INDEXED } from './statements.ts'
import type { UserIndexes } from './user-indexes.ts'

/** The verb `write`: saves rows and keeps the indexes of their users up to date. */
export class Writes {
  readonly #scripts: Scripts
  readonly #prefix: string
  readonly #indexes: UserIndexes

  constructor(scripts: Scripts, prefix: string, indexes: UserIndexes) {
    this.#scripts = scripts
    this.#prefix = prefix
    this.#indexes = indexes
  }

  /** @throws UncertainWriteError where the lent client may have sent the refused writes twice */
  async write(writes: readonly Write[], now: number): Promise<string[]> {
    const { link, start } = this.#scripts
    const { breaks } = link
    const times = this.#scripts.timesOf(now, start)
    const notes: Note<Write>[] = []
    // In a cluster, the index is on another node than the session, and comes first.
    if (link.client.isCluster === true) await this.#indexes.add(writes, now)
    const refused = await this.#save(writes, now, times, notes)
    const landed = keysOf(writes, refused)
    if (notes.length > 0) landed.push(...(await this.#follow(notes, now, times, start)))
    if (landed.length < writes.length && link.breaks !== breaks) throw new UncertainWriteError(landed)
    return landed
  }

  /**
   * Sends the rows, and returns the writes that did not land.
   *
   * @param covers until when the index of a write's user covers the session, where that is later
   * than the end of the deadline's span
   */
  #save(
    writes: readonly Write[],
    now: number,
    times: string,
    notes: Note<Write>[],
    covers?: Map<Write, number>,
  ): Promise<Write[]> {
    const toArgs = (write: Write): [string, string, string] => {
      const { data, expiresAt } = write
      // A tombstone is always kept: it shows a request that begins the session again that the
      // session may no longer be in the index.
      const until = data === null ? Math.max(expiresAt, now + 1) : expiresAt
      return [toExpectation(write, covers?.get(write)), ttlOf(until, now), toValue(write)]
    }
    const nameOf = ({ key }: Write): string => this.#prefix + key
    const isCluster = this.#scripts.link.client.isCluster === true
    if (isCluster || writes.every(({ user }) => user === null))
      return this.#scripts.runTogether(
        WRITE,
        times,
        writes,
        (write) => [nameOf(write), ...toArgs(write)],
        notes,
      )
    const indexOf = (write: Write): string =>
      write.user === null ? nameOf(write) : this.#indexes.keyOf(write.user)
    return this.#scripts.run(
      WRITE_INDEXED,
      times,
      writes,
      (write) => [nameOf(write), indexOf(write), ...toArgs(write), this.#indexes.entryOf(write, now)],
      notes,
    )
  }

  /**
   * Does what the notes of `#save` ask for. Returns the keys of the writes that landed only now.
   */
  async #follow(notes: readonly Note<Write>[], now: number, times: string, start: number): Promise<string[]> {
    const notesOf = (letter: string) => notes.filter((note) => note.letter === letter)
    const revived = notesOf(REVIVED).map(({ row }) => row)
    // The end of the previous session may remove its entry only now, so the new session is entered
    // again, with a score that differs.
    await this.#indexes.add(revived, now, '+')
    const ended = notesOf(ENDED).map(({ row: { key }, text }) => ({
      key,
      expiresAt: Number(text.slice(0, TIME_LENGTH)),
      user: text.slice(TIME_LENGTH),
    }))
    if (ended.length > 0) await this.#indexes.remove(ended, now, start)
    const crossing = notesOf(CROSSING)
    return crossing.length > 0 ? this.#saveAgain(crossing, now, times, start) : []
  }

  /** Saves writes whose sessions keep a later deadline, after the indexes cover this deadline. */
  async #saveAgain(
    crossing: readonly Note<Write>[],
    now: number,
    times: string,
    start: number,
  ): Promise<string[]> {
    const deadlines = new Map(crossing.map(({ row, text }) => [row, Number(text)]))
    const rows = [...deadlines].map(([{ key, user }, expiresAt]) => ({ key, user, expiresAt }))
    await this.#indexes.add(rows, now)
    const covers = new Map([...deadlines].map(([row, expiresAt]) => [row, endOfSpan(expiresAt)]))
    const notes: Note<Write>[] = []
    const writes = [...covers.keys()]
    const refused = await this.#save(writes, now, times, notes, covers)
    return [...keysOf(writes, refused), ...(await this.#follow(notes, now, times, start))]
  }
}

/** Returns the keys of the writes that landed. */
function keysOf(writes: readonly Write[], refused: readonly Write[]): string[] {
  const others = new Set(refused)
  return writes.filter((write) => !others.has(write)).map(({ key }) => key)
}

/** Returns what a write expects, as `WRITE` takes it. */
function toExpectation({ tag, expect, extend }: Write, cover: number | undefined): string {
  if (expect === undefined) return '!'
  if (expect === '') return ''
  const sign = !extend ? '=' : cover === undefined ? '>' : `#${digits(cover)}`
  // No row has an empty tag, so a write that expects its own tag lands only if it has landed
  // before.
  return `${sign}${expect === tag ? '' : expect} `
}
