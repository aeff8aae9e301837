import { timers, UncertainWriteError, type Write } from '@session-stores/core'
import type { Commands, WriteError } from './commands.ts'
import { toStoreError } from './errors.ts'
import { splitBySize } from './size.ts'
import { DUPLICATE_KEY, REFUSED, toUpdate, toUpsert } from './statements.ts'

interface Refusals {
  readonly refused: readonly Write[]
  /** Whether some of the refused writes may have landed at an earlier attempt. */
  readonly isUncertain: boolean
}

const none: Refusals = { refused: [], isUncertain: false }

/** Sends writes: usual saves as short updates, and everything else as upserts. */
export class Writes {
  readonly #commands: Commands

  constructor(commands: Commands) {
    this.#commands = commands
  }

  /**
   * Returns the keys of the writes that landed.
   *
   * @throws UncertainWriteError where a refused write may have landed at an earlier attempt.
   */
  async write(writes: readonly Write[], now: number): Promise<string[]> {
    const begun = timers.uptime()
    const refused = new Set<Write>()
    let isUncertain = false
    for (const part of splitBySize(writes)) {
      const { saved = [], other = [] } = Object.groupBy(part, kindOf)
      const all = await Promise.all([this.#update(saved, now, begun), this.#upsert(other, now, begun)])
      for (const refusals of all) {
        for (const write of refusals.refused) refused.add(write)
        isUncertain ||= refusals.isUncertain
      }
    }
    const landed = writes.filter((write) => !refused.has(write)).map(({ key }) => key)
    if (isUncertain) throw new UncertainWriteError(landed)
    return landed
  }

  /** Sends refused updates again as upserts, which is rare, so that usual updates cost less. */
  async #update(writes: readonly Write[], now: number, begun: number): Promise<Refusals> {
    if (writes.length === 0) return none
    const latest = new Date(0)
    const statements = writes.map((write) => toUpdate(write, now, latest))
    const { writeErrors, isUncertain } = await this.#commands.send('update', statements, latest, begun)
    if (writeErrors === undefined) return none
    const refused = writeErrors.map(({ index }) => writes[index]!)
    return this.#upsert(refused, now, begun, isUncertain)
  }

  /**
   * Sends writes of any kind. Creates are not sent as inserts, which cost a third as much, because
   * an insert cannot be told a time from which on it does nothing.
   */
  async #upsert(
    writes: readonly Write[],
    now: number,
    begun: number,
    wasUncertain = false,
    isFirst = true,
  ): Promise<Refusals> {
    if (writes.length === 0) return none
    const latest = new Date(0)
    const statements = writes.map((write) => toUpsert(write, now, latest))
    const reply = await this.#commands.send('update', statements, latest, begun)
    if (reply.writeErrors === undefined) return none
    const isUncertain = wasUncertain || reply.isUncertain === true
    const failed = Object.groupBy(reply.writeErrors, ({ code }) => code)
    const writesOf = (errors: WriteError[] = []) => errors.map(({ index }) => writes[index]!)
    const refused = writesOf(failed[REFUSED])
    // Two inserted the same row at once. The slower one finds the row now.
    const raced = writesOf(failed[DUPLICATE_KEY])
    if (raced.length > 0 && !isFirst) throw toStoreError({ code: DUPLICATE_KEY })
    const others = await this.#upsert(raced, now, begun, isUncertain, false)
    return {
      refused: [...refused, ...others.refused],
      isUncertain: (isUncertain && refused.length > 0) || others.isUncertain,
    }
  }
}

function kindOf({ expect, tag }: Write): 'saved' | 'other' {
  return expect && expect !== tag ? 'saved' : 'other'
}
