import { setTimeout as sleep } from 'node:timers/promises'
import { moveRandomSlot, type RedisCluster } from '@session-stores/testbed'

/** Milliseconds between two moves. A cluster that grows under load moves its slots about as fast. */
const PAUSE = 20

/** Moves slots that hold sessions from one master to another, one after the other. */
export class SlotMoves {
  readonly #cluster: RedisCluster
  #over: AbortController | undefined
  #moving: Promise<void> = Promise.resolve()

  constructor(cluster: RedisCluster) {
    this.#cluster = cluster
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
    const { nodes } = this.#cluster
    for (let next = 0; !signal.aborted; next++) {
      const first = next % nodes.length
      await moveRandomSlot([...nodes.slice(first), ...nodes.slice(0, first)])
      await sleep(PAUSE)
    }
  }
}
