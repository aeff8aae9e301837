import { timers } from '@session-stores/core'
import { sendTogether } from './client.ts'
import type { Link } from './link.ts'
import type { Script } from './lua.ts'
import { digits } from './row.ts'

const { uptime } = timers

/**
 * The size of one run of a script, in characters. Redis works on one run while the next is made.
 */
const SCRIPT_SIZE = 32 * 1024

/** What a script says about a row besides naming it: a letter, and a text. */
export interface Note<T> {
  readonly letter: string
  readonly row: T
  readonly text: string
}

/** Runs scripts over rows. */
export class Scripts {
  readonly link: Link
  /** How long core waits for a call, in milliseconds. */
  timeLimit = 5000
  /** When the call began that begins now, as `uptime()` has it. Read once per call. */
  start = 0

  constructor(link: Link) {
    this.link = link
  }

  /**
   * Returns the times with which the first argument of every script begins: `now`, and the latest
   * time of the server's clock at which a script of a call that began at `start` may run.
   */
  timesOf(now: number, start: number = uptime()): string {
    return digits(now) + this.link.serverTimeAt(start + this.timeLimit)
  }

  /**
   * Runs a script over rows: many rows in one run on a single server, one row per run in a cluster.
   * Returns the rows that the script named.
   *
   * @param times what `timesOf` returns
   * @param toParts returns the key and the arguments of a row, for the first row of a run or
   * another
   * @param notes gets the notes of the script
   */
  run<T>(
    script: Script,
    times: string,
    rows: readonly T[],
    toParts: (row: T, isFirst: boolean) => [key: string, ...args: string[]],
    notes?: Note<T>[],
  ): Promise<T[]> {
    const { client } = this.link
    const runs = sendTogether(client, () => {
      const begun: Promise<T[]>[] = []
      for (let from = 0; from < rows.length; ) {
        const number = this.link.nextNumber()
        const keys: string[] = []
        const args = [times + number]
        let to = from
        let size = 0
        do {
          const [key, ...own] = toParts(rows[to]!, to === from)
          to++
          keys.push(key)
          size += key.length
          for (const arg of own) {
            args.push(arg)
            size += arg.length
          }
        } while (to < rows.length && size < SCRIPT_SIZE && !client.isCluster)
        begun.push(this.#evaluate(script, keys, args, rows.slice(from, to), number, notes))
        from = to
      }
      return begun
    })
    return runs.length === 1 ? runs[0]! : Promise.all(runs).then((named) => named.flat())
  }

  /** Not `async`, because every further promise makes a lone call slower. */
  #evaluate<T>(
    { sha, source }: Script,
    keys: readonly string[],
    args: readonly string[],
    rows: readonly T[],
    number: number,
    notes: Note<T>[] | undefined,
  ): Promise<T[]> {
    const { link, timeLimit } = this
    const send = (command: string, script: string) =>
      link.client.call(command, script, keys.length, ...keys, ...args)
    const toNamed = (answer: unknown): T[] | Promise<never> => {
      const parts = Array.isArray(answer) ? answer : [answer]
      // A lent client may be set to return numbers as text (`stringNumbers`).
      if (Number(parts[0]) !== number) return link.refuseAnswer(timeLimit)
      const named: T[] = []
      for (let i = 1; i < parts.length; i++) {
        const place = Number(parts[i])
        if (place > 0) named.push(rows[place - 1]!)
        else notes?.push(toNote(parts[i], rows))
      }
      return named
    }
    if (sha === undefined) return send('EVAL', source).then(toNamed)
    return send('EVALSHA', sha).then(toNamed, (error: Error) => {
      if (!error.message.startsWith('NOSCRIPT')) throw error
      return send('EVAL', source).then(toNamed)
    })
  }
}

function toNote<T>(text: string, rows: readonly T[]): Note<T> {
  const end = text.indexOf(' ')
  return { letter: text[0]!, row: rows[Number(text.slice(1, end)) - 1]!, text: text.slice(end + 1) }
}
