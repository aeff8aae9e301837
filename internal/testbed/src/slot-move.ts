import { Redis } from 'ioredis'
import type { ProcessServer } from './server.ts'

/** Moves a slot of a Redis Cluster from one master to another, step by step. */
export class SlotMove {
  readonly #all: readonly Redis[]
  readonly #from: Redis
  readonly #to: Redis
  readonly #port: number
  readonly #slot: number

  /** Prepares the move of a slot from its master to the next of these, which are all masters. */
  static async of(nodes: readonly ProcessServer[], slot: number): Promise<SlotMove> {
    const masters = nodes.map(({ url }) => new Redis(url))
    const ranges = await masters[0]!.cluster('SLOTS')
    const [, , node] = ranges.find(([first, last]) => first <= slot && slot <= last)!
    return new SlotMove(
      masters,
      nodes,
      nodes.findIndex(({ port }) => port === node?.[1]),
      slot,
    )
  }

  private constructor(all: readonly Redis[], nodes: readonly ProcessServer[], from: number, slot: number) {
    const to = (from + 1) % nodes.length
    this.#all = all
    this.#from = all[from]!
    this.#to = all[to]!
    this.#port = nodes[to]!.port
    this.#slot = slot
  }

  /** Begins the move. Keys that are missing are at the new master from now on. */
  async begin(): Promise<void> {
    const [from, to] = await Promise.all([this.#from.cluster('MYID'), this.#to.cluster('MYID')])
    await this.#to.call('CLUSTER', 'SETSLOT', this.#slot, 'IMPORTING', from as string)
    await this.#from.call('CLUSTER', 'SETSLOT', this.#slot, 'MIGRATING', to as string)
  }

  /** Moves these keys. */
  async move(...keys: string[]): Promise<void> {
    await this.#from.call('MIGRATE', '127.0.0.1', this.#port, '', 0, 5000, 'KEYS', ...keys)
  }

  /** Moves the keys that are left, and makes the new master the owner of the slot. */
  async end(): Promise<void> {
    for (;;) {
      const keys = (await this.#from.call('CLUSTER', 'GETKEYSINSLOT', this.#slot, 100)) as string[]
      if (keys.length === 0) break
      await this.move(...keys)
    }
    const id = (await this.#to.cluster('MYID')) as string
    for (const node of [this.#to, this.#from, ...this.#all])
      await node.call('CLUSTER', 'SETSLOT', this.#slot, 'NODE', id)
    for (const node of this.#all) node.disconnect()
  }
}

/**
 * Moves the slot of a random key of the first of these masters to the second one, with all its keys.
 * Does nothing where the first one has no key.
 */
export async function moveRandomSlot(masters: readonly ProcessServer[]): Promise<void> {
  const client = new Redis(masters[0]!.url)
  try {
    const key = await client.randomkey()
    if (key === null) return
    const move = await SlotMove.of(masters, await client.cluster('KEYSLOT', key))
    await move.begin()
    await move.end()
  } finally {
    client.disconnect()
  }
}
