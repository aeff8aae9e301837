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
export async function runScript<T>(
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
      const some = rows.slice(from, to)
      made.push(evaluate(client, script, keys, args).then((named) => named.map((n) => some[Number(n) - 1]!)))
      from = to
    }
    return made
  })
  return calls.length === 1 ? calls[0]! : (await Promise.all(calls)).flat()
}

/** Numbers are text where a client that was lent is told so (`stringNumbers`). */
async function evaluate(
  client: RedisClient,
  { sha, source }: Script,
  keys: string[],
  args: string[],
): Promise<(number | string)[]> {
  const ask = (command: string, script: string) =>
    client.call(command, script, keys.length, ...keys, ...args) as Promise<(number | string)[]>
  if (sha === undefined) return ask('EVAL', source)
  try {
    return await ask('EVALSHA', sha)
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
    return ask('EVAL', source)
  }
}
