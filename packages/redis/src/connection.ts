import type { ConnectionOptions } from 'node:tls'
import { Redis } from 'ioredis'
import { isReply } from './errors.ts'

/** How long calls wait for a connection that broke, in milliseconds: for a server that starts again, or another in its place. */
const GRACE = 600
/** How long calls fail at once after that, in milliseconds: a server that is coming up is not overrun. */
const PAUSE = 200
/** A connection on which nothing comes for so long, in milliseconds, although an answer is due, is dead. */
const SILENCE = 3000
/** How often that is looked at, in milliseconds. A timer for each call, as ioredis has it, costs a lone call 4 µs. */
const LOOK = 500

/**
 * A connection of the driver's own: it connects when a call needs it, and lets the process exit while no call
 * waits for an answer.
 */
export class Connection {
  readonly client: Redis
  /** Why the server could not be reached, until it is. */
  failure: Error | undefined
  #waiting = 0
  /** When the first attempt since the last connection that worked began. */
  #missedAt: number | undefined
  #pausedUntil = 0
  #closed = false
  #looking: NodeJS.Timeout | undefined
  /** When calls began to wait, or something was last seen to have come. */
  #heardAt = 0
  /** What had come by then, in bytes. */
  #heard = 0

  constructor(url: string, tls: ConnectionOptions | undefined) {
    this.client = new Redis(url, {
      ...(tls && { tls }),
      lazyConnect: true,
      connectTimeout: 3000,
      // Calls wait until `retryStrategy` gives up, no longer.
      maxRetriesPerRequest: null,
      retryStrategy: (times) => this.#retry(times),
      // After a failover the address may lead to another server, but not on this connection.
      reconnectOnError: (error) => /\bREADONLY\b/.test(error.message),
    })
    this.client.on('error', (error) => {
      this.failure = error
    })
    this.client.on('connecting', () => {
      this.#missedAt ??= performance.now()
    })
    this.client.on('connect', () => {
      this.#heardAt = performance.now()
      this.#settle()
    })
    this.client.on('ready', () => {
      this.failure = undefined
      this.#missedAt = undefined
    })
  }

  /** Keeps the process alive until `release`, and connects where retries have ended. Throws why it could not lately. */
  hold(): void {
    if (this.client.status === 'end' && !this.#closed) {
      if (performance.now() < this.#pausedUntil)
        throw this.failure ?? new Error('Redis closed the connection')
      this.client.connect().catch(() => {})
    }
    if (this.#waiting++ > 0) return
    this.#heardAt = performance.now()
    this.#looking ??= setTimeout(this.#look, LOOK).unref()
    this.#settle()
  }

  release(): void {
    if (--this.#waiting === 0) this.#settle()
  }

  close(): void {
    this.#closed = true
    this.client.disconnect()
  }

  /** `times` counts from the last connection that worked. */
  #retry(times: number): number | null {
    const now = performance.now()
    this.#missedAt ??= now
    // What Redis itself refuses, such as a password, it refuses again.
    const gaveUp = now - this.#missedAt > GRACE || isReply(this.failure)
    if (gaveUp) this.#pausedUntil = now + PAUSE
    // A timer that nobody waits for would keep the process alive.
    if (!gaveUp && this.#waiting > 0) return 50 * 2 ** times
    this.#missedAt = undefined
    return null
  }

  /** Ends a connection that is dead. */
  #look = (): void => {
    this.#looking = this.#waiting > 0 ? setTimeout(this.#look, LOOK).unref() : undefined
    const { stream, status } = this.client
    const now = performance.now()
    // While it connects, `connectTimeout` counts.
    if (stream?.bytesRead !== this.#heard || status === 'connecting') {
      this.#heard = stream?.bytesRead ?? 0
      this.#heardAt = now
    } else if (this.#waiting > 0 && now - this.#heardAt >= SILENCE)
      stream.destroy(new Error(`Redis sent nothing for ${SILENCE} ms`))
  }

  #settle(): void {
    if (this.#waiting > 0) this.client.stream?.ref()
    else this.client.stream?.unref()
  }
}
