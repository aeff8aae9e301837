import { timers } from '@session-stores/core'
import type { RedisClient, RedisNode } from './client.ts'
import { isReply } from './errors.ts'
import { type Inspection, Link } from './link.ts'

const { clearTimeout, setTimeout } = timers

/** Fields of ioredis that its types do not declare. */
interface Undeclared {
  readonly condition?: { readonly select?: number } | null
  readonly options?: { readonly db?: number; readonly readOnly?: boolean }
  listenerCount?(event: string): number
}

/**
 * How long the check waits for further masters of a cluster after the first one, in milliseconds.
 */
const PATIENCE = 500

const links = new WeakMap<RedisClient, LentLink>()

/** Returns the link of a lent client: one per client, however many drivers share it. */
export function linkOf(client: RedisClient): LentLink {
  let link = links.get(client)
  if (link === undefined) {
    link = new LentLink(client)
    links.set(client, link)
  }
  return link
}

/** A lent client. It connects, and resends unanswered calls, by the settings of its owner. */
class LentLink extends Link {
  readonly resends = false
  #isChecking = false

  constructor(client: RedisClient) {
    super(client)
    client.on('close', () => {
      this.breaks++
      this.isUsable = false
    })
    if (client.isCluster) this.#watchNodes()
    else if (this.#database) client.on('error', (error) => this.#onError(error as Error))
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
        (inspections) => this.admit(inspections),
        (error) => this.turnAway(error),
      )
  }

  get #database(): number | undefined {
    const { condition, options } = this.client as Undeclared
    return condition?.select ?? options?.db
  }

  #watchNodes(): void {
    const { client } = this
    client.on('+node', (joined) => {
      const node = joined as RedisNode
      this.#countBreaks(node)
      // Nothing is sent to a replica, so it needs no connection.
      if (!(node as Undeclared).options?.readOnly)
        this.inspect(node, undefined).then(
          (inspection) => this.admitNode(inspection),
          () => {},
        )
    })
    client.on('-node', () => {
      this.breaks++
    })
    for (const node of client.nodes!('all')) this.#countBreaks(node)
  }

  #countBreaks(node: RedisNode): void {
    node.on('close', () => {
      this.breaks++
    })
  }

  async #check(): Promise<Inspection[]> {
    for (;;) {
      const { breaks } = this
      const inspection = await this.inspect(this.client, this.#database)
      // Where the connection broke meanwhile, the new one has not been inspected.
      if (breaks === this.breaks) return [inspection]
    }
  }

  /** Checks the masters. One that is down delays the check by `PATIENCE` at most. */
  async #checkCluster(): Promise<Inspection[]> {
    // After its first answer, the client knows its masters.
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

  /**
   * Breaks the connection where ioredis cannot select its database. It would go on with database 0,
   * and resend there.
   */
  #onError(error: Error & { command?: { name?: string } }): void {
    // Without a listener ioredis would write the error there, and this listener must not hide it.
    if ((this.client as Undeclared).listenerCount?.('error') === 1)
      console.error('[ioredis] Unhandled error event:', error.stack)
    if (!isReply(error) || error.command?.name?.toLowerCase() !== 'select') return
    this.failure = error
    this.client.stream?.destroy?.()
    this.turnAway(error)
  }
}
