import { type Row, timers } from '@session-stores/core'
import { sendTogether } from './client.ts'
import type { Link } from './link.ts'
import { AWAY, type Script } from './lua.ts'
import { Masters } from './masters.ts'
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

/** Returns the keys and the arguments of a row, for the first row of a run or another. */
type ToParts<T> = (row: T, isFirst: boolean) => [key: string, ...others: string[]]

/** Sends a script by its hash or its text: `command` is `EVALSHA` or `EVAL`. */
type Send = (command: string, script: string, keys: string[], args: string[]) => Promise<unknown>

/** Runs scripts over rows. */
export class Scripts {
  readonly link: Link
  /** How long core waits for a call, in milliseconds. */
  timeLimit = 5000
  /** When the call began that begins now, as `uptime()` has it. Read once per call. */
  start = 0
  /** The masters of a cluster, or `undefined` where there is a single server. */
  readonly masters: Masters | undefined
  readonly #prefix: string

  /** `prefix` is the begin of all keys of rows. */
  constructor(link: Link, prefix: string) {
    this.link = link
    this.#prefix = prefix
    if (link.client.isCluster) this.masters = new Masters(link.client)
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
   * @param notes gets the notes of the script
   */
  run<T>(
    script: Script,
    times: string,
    rows: readonly T[],
    toParts: ToParts<T>,
    notes?: Note<T>[],
  ): Promise<T[]> {
    const { client } = this.link
    const send: Send = (command, text, keys, args) =>
      client.call(command, text, keys.length, ...keys, ...args)
    const begin = () => this.#begin(script, times, rows, toParts, notes, send, client.isCluster === true)
    const runs = sendTogether(client, begin)
    return runs.length === 1 ? runs[0]! : Promise.all(runs).then((named) => named.flat())
  }

  /** As `run`, but with many rows in one run on each master of a cluster that allows it. */
  runTogether<T extends Pick<Row, 'key'>>(
    script: Script,
    times: string,
    rows: readonly T[],
    toParts: ToParts<T>,
    notes?: Note<T>[],
  ): Promise<T[]> {
    const { link, masters } = this
    return masters !== undefined && link.crossesSlots
      ? this.#runOnMasters(script, masters, times, rows, toParts, notes)
      : this.run(script, times, rows, toParts, notes)
  }

  /**
   * Sends one script to each master. The rows that a master did not have, because their slots move,
   * follow by their keys. The same holds for the rows of a master that cannot be asked: it has done
   * nothing, or a client of ioredis would send the rows again, too.
   */
  async #runOnMasters<T extends Pick<Row, 'key'>>(
    script: Script,
    masters: Masters,
    times: string,
    rows: readonly T[],
    toParts: ToParts<T>,
    notes: Note<T>[] | undefined,
  ): Promise<T[]> {
    const { link } = this
    const all: Note<T>[] = []
    const others: T[] = []
    const begin = (): Promise<T[]>[] => {
      const begun: Promise<T[]>[] = []
      for (const [node, group] of masters.group(rows, ({ key }) => this.#prefix + key)) {
        if (node === undefined) {
          others.push(...group)
          continue
        }
        const send: Send = (command, text, keys, args) => {
          const names = keys.map((key) => masters.nameOf(key))
          return node.call(command, text, 0, ...args, ...names, keys.length)
        }
        const onError = (error: Error, missed: readonly T[]): T[] => {
          if (!link.mayAskAgain(error)) throw error
          others.push(...missed)
          return []
        }
        begun.push(...this.#begin(script.group!, times, group, toParts, all, send, false, onError))
      }
      return begun
    }
    const named = (await Promise.all(sendTogether(link.client, begin))).flat()
    for (const note of all) {
      if (note.letter === AWAY) others.push(note.row)
      else notes?.push(note)
    }
    if (others.length === 0) return named
    return named.concat(await this.run(script, times, others, toParts, notes))
  }

  /**
   * Sends the runs of a script.
   *
   * @param isSingle whether each run has one row
   * @param onError is told the rows of a run that failed, and returns those that it named
   */
  #begin<T>(
    script: Script,
    times: string,
    rows: readonly T[],
    toParts: ToParts<T>,
    notes: Note<T>[] | undefined,
    send: Send,
    isSingle: boolean,
    onError?: (error: Error, rows: readonly T[]) => T[],
  ): Promise<T[]>[] {
    const begun: Promise<T[]>[] = []
    const { keysPerRow = 1 } = script
    for (let from = 0; from < rows.length; ) {
      const number = this.link.nextNumber()
      const keys: string[] = []
      const args = [times + number]
      let to = from
      let size = 0
      do {
        const parts = toParts(rows[to]!, to === from)
        to++
        for (let i = 0; i < parts.length; i++) {
          const part = parts[i]!
          if (i < keysPerRow) keys.push(part)
          else args.push(part)
          size += part.length
        }
      } while (to < rows.length && size < SCRIPT_SIZE && !isSingle)
      const some = from === 0 && to === rows.length ? rows : rows.slice(from, to)
      const run = this.#evaluate(
        script,
        (command, text) => send(command, text, keys, args),
        some,
        number,
        notes,
      )
      begun.push(onError === undefined ? run : run.catch((error) => onError(error, some)))
      from = to
    }
    return begun
  }

  /** Not `async`, because every further promise makes a lone call slower. */
  #evaluate<T>(
    { sha, source }: Script,
    send: (command: string, script: string) => Promise<unknown>,
    rows: readonly T[],
    number: number,
    notes: Note<T>[] | undefined,
  ): Promise<T[]> {
    const toNamed = (answer: unknown): T[] | Promise<never> => {
      const parts = Array.isArray(answer) ? answer : [answer]
      // A lent client may be set to return numbers as text (`stringNumbers`).
      if (Number(parts[0]) !== number) return this.link.refuseAnswer(this.timeLimit)
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
