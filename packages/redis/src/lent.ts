import { timers } from '@session-stores/core'
import type { RedisClient, RedisNode } from './client.ts'
import { isReply } from './errors.ts'
import { type Inspection, Link } from './link.ts'

const { clearTimeout, setTimeout } = timers

/** What ioredis knows, and does not declare. */
interface Inside {
  readonly condition?: { readonly select?: number } | null
  readonly options?: { readonly db?: number; readonly readOnly?: boolean }
  listenerCount?(event: string): number
}

/** How long the other masters of a cluster may take to be looked at once one was, in milliseconds. */
const PATIENCE = 500

const links = new WeakMap<RedisClient, LentLink>()

/** The link of a client that was lent: one, however many drivers share the client. */
export function linkOf(client: RedisClient): LentLink {
  let link = links.get(client)
  if (link === undefined) {
    link = new LentLink(client)
    links.set(client, link)
  }
  return link
}

/** A client that connects, and sends again what was not answered, as it was told by whoever lent it. */
class LentLink extends Link {
  readonly repeats = false
  #isChecking = false

  constructor(client: RedisClient) {
    super(client)
    client.on('close', () => {
      this.breaks++
      this.isUsable = false
    })
    if (client.isCluster) {
      client.on('+node', (joined) => {
        const node = joined as RedisNode
        this.#count(node)
        // A replica is asked nothing, and so needs no connection.
        if (!(node as Inside).options?.readOnly)
          this.inspect(node, undefined).then((found) => this.admitNode(found), noop)
      })
      client.on('-node', () => {
        this.breaks++
      })
      for (const node of client.nodes!('all')) this.#count(node)
    } else if (this.#database) client.on('error', (error) => this.#refused(error as Error))
  }

  protected reach(): void {
    if (this.#isChecking) {
      // The client goes on trying by itself, more and more rarely.
      if (this.failure) throw this.failure
      return
    }
    this.#isChecking = true
    const check = this.client.isCluster ? this.#checkCluster() : this.#check()
    check
      .finally(() => {
        this.#isChecking = false
      })
      .then(
        (found) => this.admit(found),
        (error) => this.turnAway(error),
      )
  }

  get #database(): number | undefined {
    const { condition, options } = this.client as Inside
    return condition?.select ?? options?.db
  }

  #count(node: RedisNode): void {
    node.on('close', () => {
      this.breaks++
    })
  }

  async #check(): Promise<Inspection[]> {
    for (;;) {
      const { breaks } = this
      const found = await this.inspect(this.client, this.#database)
      // What was answered by two connections says nothing about the second.
      if (breaks === this.breaks) return [found]
    }
  }

  /** A master that is down holds up nobody. */
  async #checkCluster(): Promise<Inspection[]> {
    // Until it knows its masters.
    await this.client.call('TIME')
    const found: Inspection[] = []
    const inspections = this.client.nodes!('master').map(async (node) => {
      found.push(await this.inspect(node, undefined))
    })
    await Promise.any(inspections).catch(({ errors }: AggregateError) => {
      throw errors[0]
    })
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE)
      Promise.allSettled(inspections).then(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    return found
  }

  /** Keeps what waits to be sent again from database 0, with which ioredis goes on where it cannot select another. */
  #refused(error: Error & { command?: { name?: string } }): void {
    // Without any listener ioredis writes it there.
    if ((this.client as Inside).listenerCount?.('error') === 1)
      console.error('[ioredis] Unhandled error event:', error.stack)
    if (!isReply(error) || error.command?.name?.toLowerCase() !== 'select') return
    this.failure = error
    this.client.stream?.destroy?.()
    this.turnAway(error)
  }
}

const noop = (): void => {}
