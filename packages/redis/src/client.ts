import type { Script } from './scripts.ts'

/** What the driver uses of an ioredis `Redis` or `Cluster`, so that no version of it is forced. */
export interface RedisClient extends RedisNode {
  /** Of a `Cluster`. */
  readonly isCluster?: boolean
  nodes?(role: 'master'): RedisNode[]
}

/** One server, or the only one. */
export interface RedisNode {
  readonly options?: { host?: string; port?: number; keyPrefix?: string }
  readonly stream?: { cork(): void; uncork(): void } | null
  call(command: string, ...args: (string | number)[]): Promise<unknown>
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

/**
 * Runs a script over rows: many in one on a single server, each by itself in a cluster. `parts` are the key and the
 * arguments of a row, `common` those that all share. Returns the rows that the script named.
 */
export function runScript<T>(
  client: RedisClient,
  script: Script,
  common: readonly string[],
  rows: readonly T[],
  parts: (row: T) => [key: string, ...args: string[]],
): Promise<T[]> {
  const calls = together(client, () => {
    const made: Promise<T[]>[] = []
    for (let from = 0; from < rows.length; ) {
      const keys: string[] = []
      const args = [...common]
      let to = from
      let size = 0
      do {
        const [key, ...own] = parts(rows[to++]!)
        keys.push(key)
        size += key.length
        for (const arg of own) {
          args.push(arg)
          size += arg.length
        }
      } while (to < rows.length && size < SCRIPT_SIZE && !client.isCluster)
      made.push(evaluate(client, script, keys, args, rows.slice(from, to)))
      from = to
    }
    return made
  })
  return calls.length === 1 ? calls[0]! : Promise.all(calls).then((named) => named.flat())
}

/** Every promise more on the way of an answer costs a lone call time: so no `async` here. */
function evaluate<T>(
  client: RedisClient,
  { sha, source }: Script,
  keys: readonly string[],
  args: readonly string[],
  rows: readonly T[],
): Promise<T[]> {
  const ask = (command: string, script: string) => client.call(command, script, keys.length, ...keys, ...args)
  // Numbers are text where a client that was lent is told so (`stringNumbers`).
  const named = (numbers: unknown) => (numbers as (number | string)[]).map((n) => rows[Number(n) - 1]!)
  if (sha === undefined) return ask('EVAL', source).then(named)
  return ask('EVALSHA', sha).then(named, (error: Error) => {
    if (!error.message.startsWith('NOSCRIPT')) throw error
    return ask('EVAL', source).then(named)
  })
}
