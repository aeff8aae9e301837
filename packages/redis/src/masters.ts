import generateSlot from 'cluster-key-slot'
import { type RedisClient, type RedisNode, sendTogether } from './client.ts'
import type { Link } from './link.ts'

/** Fields of an ioredis `Cluster` that its types do not declare. */
interface Undeclared {
  /** The addresses of the nodes of each slot, the master first. */
  readonly slots?: readonly (readonly string[] | undefined)[]
  readonly status?: string
}

/** Which master of a cluster serves which keys, as far as the client knows. */
export class Masters {
  readonly #client: RedisClient
  readonly #prefix: string

  constructor(client: RedisClient) {
    this.#client = client
    this.#prefix = client.options?.keyPrefix ?? ''
  }

  /** Returns the key as the server knows it: a node's client adds no prefix of the cluster's client. */
  nameOf(key: string): string {
    return this.#prefix + key
  }

  /**
   * Returns the things by the masters of their keys. Those whose master is not known or not
   * connected are under `undefined`: the cluster's client knows what to do with them.
   */
  group<T>(things: readonly T[], keyOf: (thing: T) => string): Map<RedisNode | undefined, T[]> {
    const find = this.#client.masterOf?.bind(this.#client) ?? findIn(this.#client)
    const groups = new Map<RedisNode | undefined, T[]>()
    for (const thing of things) {
      const node = find(generateSlot(this.#prefix + keyOf(thing)))
      const group = groups.get(node)
      if (group === undefined) groups.set(node, [thing])
      else group.push(thing)
    }
    return groups
  }
}

/** Returns a function that finds the master of a slot in an ioredis `Cluster`. */
function findIn(client: RedisClient): (slot: number) => RedisNode | undefined {
  const { slots } = client as Undeclared
  const nodes = new Map<string | undefined, RedisNode>()
  for (const node of client.nodes!('master')) {
    const { host, port, keyPrefix } = node.options ?? {}
    // Commands would wait in a client that is not connected, or get another prefix.
    if ((node as Undeclared).status === 'ready' && !keyPrefix) nodes.set(`${host}:${port}`, node)
  }
  return (slot) => nodes.get(slots?.[slot]?.[0])
}

/**
 * Returns the values of the keys. Each is asked for at its master, which takes half the time of the
 * cluster's client. That client follows the keys whose slots move.
 */
export async function readEach(link: Link, masters: Masters, keys: readonly string[]): Promise<unknown[]> {
  const { client } = link
  const places = keys.map((key, place) => ({ key, place }))
  const values = new Array<unknown>(keys.length)
  const ask = (node: RedisNode | undefined, key: string, place: number): Promise<void> => {
    const keep = (answer: unknown): void => {
      if (!Array.isArray(answer) || answer.length !== 1) throw new Error('Redis gave no list of one value')
      values[place] = answer[0]
    }
    // MGET even for one key, because GET fails on a foreign key that holds a hash or a list.
    if (node === undefined) return client.call('MGET', key).then(keep)
    return node.call('MGET', masters.nameOf(key)).then(keep, (error: Error) => {
      if (!link.mayAskAgain(error)) throw error
      return client.call('MGET', key).then(keep)
    })
  }
  const begin = (): Promise<void>[] =>
    [...masters.group(places, ({ key }) => key)].flatMap(([node, group]) =>
      group.map(({ key, place }) => ask(node, key, place)),
    )
  await Promise.all(sendTogether(client, begin))
  return values
}
