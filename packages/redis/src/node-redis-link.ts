import { SessionStoreError, timers } from '@session-stores/core'
import type { RedisNode } from './client.ts'
import { isReply } from './errors.ts'
import { LentLink } from './lent-link.ts'
import { CONNECT_SHARE, type Inspection } from './link.ts'
import type { Adapter, NodeRedis, NodeRedisBase } from './node-redis.ts'
import { adapt } from './node-redis-clients.ts'

const { setTimeout, uptime } = timers

/** What every client of node-redis is, too. */
interface Counting extends NodeRedisBase {
  listenerCount?(event: string): number
}

/** How many times within the time limit a silent server is looked for. */
const LOOKS = 10
/** How often a client that connects is asked whether it is ready, in milliseconds. */
const PATIENCE = 20

/**
 * A lent client of node-redis. It sends nothing twice by itself. Before it takes commands it has
 * selected its database, or its connection has failed.
 */
export class NodeRedisLink extends LentLink {
  declare readonly client: Adapter
  readonly resends = true
  #timeLimit = 5000
  #waiting = 0
  #nextLook: NodeJS.Timeout | undefined
  /** When each server was asked that has not answered yet. */
  readonly #askedAt = new WeakMap<RedisNode, number>()

  constructor(client: NodeRedis) {
    const adapter = adapt(client)
    super(adapter)
    const onClose = () => {
      this.breaks++
      if (!adapter.isCluster) this.isUsable = false
      if (!adapter.isOpen) this.turnAway(this.failure ?? toClosedError())
    }
    adapter.on('close', onClose)
    adapter.on('-node', onClose)
    adapter.on('+node', (node) => {
      this.inspect(node as RedisNode, undefined).then(
        (inspection) => this.admitNode(inspection),
        () => {},
      )
    })
    adapter.on('error', (error) => this.#onError(client as Counting, error as Error))
  }

  override get keyPrefix(): string {
    return this.client.keyPrefix
  }

  override limit(timeLimit: number): void {
    this.client.timeLimit = Math.max(this.client.timeLimit, timeLimit)
    this.#timeLimit = timeLimit
  }

  override hold(): void {
    this.#waiting++
    this.#nextLook ??= this.#scheduleLook()
  }

  override release(): void {
    this.#waiting--
  }

  protected override reach(): void {
    if (!this.client.isOpen) throw toClosedError()
    super.reach()
  }

  protected override async check(): Promise<Inspection[]> {
    for (;;) {
      await this.#waitUntilReady()
      const { breaks } = this
      try {
        return await super.check()
      } catch (error) {
        // Node-redis does not send the commands of the check again, as it does with no others.
        if (isReply(error as Error) || breaks === this.breaks) throw error
      }
    }
  }

  protected override findMasters(): Promise<void> {
    return this.#waitUntilReady()
  }

  #scheduleLook(): NodeJS.Timeout {
    return setTimeout(this.#look, this.#timeLimit / LOOKS).unref()
  }

  /**
   * Asks each server for a sign of life while calls wait. A server that gives none gets no further
   * calls. Otherwise these would keep its connection from counting as idle (`socketTimeout`).
   */
  #look = (): void => {
    this.#nextLook = this.#waiting > 0 ? this.#scheduleLook() : undefined
    if (!this.isUsable || this.#waiting === 0) return
    const now = uptime()
    for (const node of this.client.nodes?.('master') ?? [this.client]) {
      const askedAt = this.#askedAt.get(node)
      if (askedAt === undefined) {
        const forget = () => this.#askedAt.delete(node)
        this.#askedAt.set(node, now)
        node.call('TIME').then(forget, forget)
      } else if (now - askedAt >= this.#timeLimit * CONNECT_SHARE) {
        if (this.client.isCluster) node.stream?.destroy?.()
        else this.recheck()
      }
    }
  }

  /** Fulfils once commands leave at once, and rejects where nobody waits for it any more. */
  async #waitUntilReady(): Promise<void> {
    while (!this.client.isReady) {
      await new Promise((resolve) => setTimeout(resolve, PATIENCE))
      if (!this.client.isOpen) throw toClosedError()
      if (!this.hasWaiters) throw new Error('there was no connection in time')
    }
  }

  #onError(client: Counting, error: Error): void {
    // Without a listener node-redis would end the process, and this listener must not hide the error.
    if (client.listenerCount?.('error') === 1)
      console.error("[redis] Unhandled error event (add client.on('error', …)):", error)
    this.failure = error
    // Redis would refuse again whatever it has refused itself, such as a password.
    if (isReply(error) && !this.client.isReady) this.turnAway(error)
  }
}

const toClosedError = (): Error =>
  new SessionStoreError(
    'UNAVAILABLE',
    "the lent client of 'redis' is not connected: write await client.connect() before the first request",
  )
