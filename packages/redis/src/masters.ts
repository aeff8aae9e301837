import generateSlot from 'cluster-key-slot'
import type { RedisClient, RedisNode } from './client.ts'

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
