import type { RedisClient, RedisNode } from './client.ts'
import { isReply } from './errors.ts'
import { LentLink } from './lent-link.ts'
import { refuseUnasked } from './unasked.ts'

/** Fields of ioredis that its types do not declare. */
interface Undeclared {
  readonly condition?: { readonly select?: number } | null
  readonly options?: { readonly db?: number; readonly readOnly?: boolean; readonly sentinels?: unknown }
  readonly status?: string
  /** Whether the owner has called `disconnect()`. */
  readonly manuallyClosing?: boolean
  connect?(): Promise<void>
  listenerCount?(event: string): number
}

/** A lent client of ioredis. It resends unanswered calls by the settings of its owner. */
export class IoredisLink extends LentLink {
  readonly resends = false
  /** Whether an attempt to connect was given up, although the owner has not closed the client. */
  #isGivenUp = false

  constructor(client: RedisClient) {
    super(client)
    client.on('close', () => {
      this.breaks++
      this.isUsable = false
    })
    if (client.isCluster) this.#watchNodes()
    else {
      refuseUnasked(client)
      if (this.database || (client as Undeclared).options?.sentinels)
        client.on('error', (error) => this.#onError(error as Error))
    }
    client.on('end', () => this.#onEnd())
  }

  protected override get database(): number | undefined {
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
    refuseUnasked(node)
    node.on('close', () => {
      this.breaks++
    })
  }

  /**
   * Connects again where ioredis has given up. With `failoverDetector`, it ends a client for good that
   * asks a Sentinel for the master while another Sentinel reports the failover.
   */
  #onEnd(): void {
    const { connect, manuallyClosing } = this.client as Undeclared
    if (!this.#isGivenUp || manuallyClosing) return
    this.#isGivenUp = false
    connect?.call(this.client).catch(() => {})
  }

  /**
   * Breaks the connection where ioredis cannot select its database. It would go on with database 0,
   * and resend there.
   */
  #onError(error: Error & { command?: { name?: string } }): void {
    // Without a listener ioredis would write the error there, and this listener must not hide it.
    if ((this.client as Undeclared).listenerCount?.('error') === 1)
      console.error('[ioredis] Unhandled error event:', error.stack)
    // Ioredis does not emit this error where its owner closes the client.
    this.#isGivenUp =
      (this.client as Undeclared).status === 'connecting' && error.message === 'Connection is closed.'
    if (!isReply(error) || error.command?.name?.toLowerCase() !== 'select') return
    this.failure = error
    this.client.stream?.destroy?.()
    this.turnAway(error)
  }
}
