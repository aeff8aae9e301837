import type { Link } from './link.ts'
import type { Script } from './statements.ts'

/** What the driver uses of an ioredis `Redis` or `Cluster`, so that no version of it is forced. */
export interface RedisClient extends RedisNode {
  /** Of a `Cluster`. */
  readonly isCluster?: boolean | undefined
  nodes?(role: 'master' | 'all'): RedisNode[]
}

/** One server, or the only one. */
export interface RedisNode {
  readonly options?:
    | {
        readonly host?: string | undefined
        readonly port?: number | undefined
        readonly keyPrefix?: string | undefined
      }
    | undefined
  readonly stream?: { cork(): void; uncork(): void; destroy?(error?: Error): unknown } | null | undefined
  call(command: string, ...args: (string | number)[]): Promise<unknown>
  /** The driver counts the connections that break, so that it knows which calls the client may have sent twice. */
  on(event: string, listener: (...args: unknown[]) => void): unknown
}

/** Makes calls that leave at once: one write to each server of a cluster, in place of one for each call. */
function together<T>(client: RedisClient, calls: () => T): T {
  const streams = client.nodes?.('master').map(({ stream }) => stream) ?? []
  for (const stream of streams) stream?.cork()
  try {
    return calls()
  } finally {
    for (const stream of streams) stream?.uncork()
  }
}

/** Sends a command once for each key, as a cluster wants it. */
export function callEach(client: RedisClient, command: string, keys: readonly string[]): Promise<unknown[]> {
  return together(client, () => Promise.all(keys.map((key) => client.call(command, key))))
}

/** About how much one script is given, in characters: so Redis works on one while the next is made. */
const SCRIPT_SIZE = 32 * 1024

/** What a script says about a row besides that it is about it: a letter, and what the letter stands for. */
export interface Note<T> {
  readonly letter: string
  readonly row: T
  readonly text: string
}

/** How scripts are run. */
export interface Run {
  readonly link: Link
  /** How long calls are waited for, in milliseconds. */
  timeLimit: number
  /** When the call began that begins now, as `performance.now()` has it: asked for once a call. */
  start: number
}

/**
 * Runs a script over rows: many in one on a single server, each by itself in a cluster. `times` are the first 32
 * characters that every script is given (see `Script`). `parts` makes the key and the arguments of a row; it is told
 * whether the row is the first of its script. Returns the rows that the script named; what it noted goes to `notes`.
 */
export function runScript<T>(
  run: Run,
  script: Script,
  times: string,
  rows: readonly T[],
  parts: (row: T, isFirst: boolean) => [key: string, ...args: string[]],
  notes?: Note<T>[],
): Promise<T[]> {
  const { client } = run.link
  const calls = together(client, () => {
    const made: Promise<T[]>[] = []
    for (let from = 0; from < rows.length; ) {
      const number = run.link.nextNumber()
      const keys: string[] = []
      const args = [times + number]
      let to = from
      let size = 0
      do {
        const [key, ...own] = parts(rows[to]!, to === from)
        to++
        keys.push(key)
        size += key.length
        for (const arg of own) {
          args.push(arg)
          size += arg.length
        }
      } while (to < rows.length && size < SCRIPT_SIZE && !client.isCluster)
      made.push(evaluate(run, script, keys, args, rows.slice(from, to), number, notes))
      from = to
    }
    return made
  })
  return calls.length === 1 ? calls[0]! : Promise.all(calls).then((named) => named.flat())
}

/** Every promise more on the way of an answer costs a lone call time: so no `async` here. */
function evaluate<T>(
  { link, timeLimit }: Run,
  { sha, source }: Script,
  keys: readonly string[],
  args: readonly string[],
  rows: readonly T[],
  number: number,
  notes: Note<T>[] | undefined,
): Promise<T[]> {
  const ask = (command: string, script: string) =>
    link.client.call(command, script, keys.length, ...keys, ...args)
  const named = (answer: unknown): T[] | Promise<never> => {
    const parts = Array.isArray(answer) ? answer : [answer]
    // Numbers are text where a client that was lent is told so (`stringNumbers`).
    if (Number(parts[0]) !== number) return link.refuseAnswer(timeLimit)
    const found: T[] = []
    for (let i = 1; i < parts.length; i++) {
      const place = Number(parts[i])
      if (place > 0) found.push(rows[place - 1]!)
      else notes?.push(toNote(parts[i], rows))
    }
    return found
  }
  if (sha === undefined) return ask('EVAL', source).then(named)
  return ask('EVALSHA', sha).then(named, (error: Error) => {
    if (!error.message.startsWith('NOSCRIPT')) throw error
    return ask('EVAL', source).then(named)
  })
}

function toNote<T>(text: string, rows: readonly T[]): Note<T> {
  const end = text.indexOf(' ')
  return { letter: text[0]!, row: rows[Number(text.slice(1, end)) - 1]!, text: text.slice(end + 1) }
}
