import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisCluster, SlotMove } from '@session-stores/testbed'
import type { Redis } from 'ioredis'

/** Milliseconds between two moves. A cluster that grows under load moves its slots about as fast. */
const PAUSE = 20

/** Moves slots that hold sessions from one master to another, one after the other. */
export class SlotMoves {
  readonly #cluster: RedisCluster
  readonly #admins: readonly Redis[]
  #over: AbortController | undefined
  #moving: Promise<void> = Promise.resolve()

  constructor(cluster: RedisCluster, admins: readonly Redis[]) {
    this.#cluster = cluster
    this.#admins = admins
  }

  begin(): void {
    if (this.#over !== undefined) return
    this.#over = new AbortController()
    this.#moving = this.#move(this.#over.signal)
  }

  /** Resolves when no slot moves any more. Rejects where a move has failed. */
  async end(): Promise<void> {
    this.#over?.abort()
    this.#over = undefined
    await this.#moving
  }

  async #move(signal: AbortSignal): Promise<void> {
    for (let next = 0; !signal.aborted; next++) {
      const admin = this.#admins[next % this.#admins.length]!
      const key = await admin.randomkey()
      if (key !== null) {
        const slot = await admin.cluster('KEYSLOT', key)
        const move = await SlotMove.of(this.#cluster.nodes, slot)
        await move.begin()
        await move.end()
      }
      await sleep(PAUSE)
    }
  }
}
