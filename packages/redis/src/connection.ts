import type { ConnectionOptions } from 'node:tls'
import { timers } from '@session-stores/core'
import { Redis } from 'ioredis'
import { isFault, isReply } from './errors.ts'
import { CONNECT_SHARE, Link } from './link.ts'

const { clearTimeout, setTimeout, uptime } = timers

/** The share of the time limit in which calls wait for a server that is down: for one that starts again, or its successor. */
const GRACE_SHARE = 0.12
/** How long calls fail at once after that, in milliseconds: a server that is coming up is not overrun. */
const PAUSE = 200
/** The first pause between two attempts while calls wait, and the longest, in milliseconds; each is twice the one before. */
const [FIRST_RETRY, LAST_RETRY] = [100, 400]
/** How often in the time limit a connection is looked at. A timer for each call, as ioredis has it, costs a lone call 4 µs. */
const LOOKS = 10

/**
 * A connection of the driver's own. It connects when a call needs it, by its own clock: attempts of ioredis become
 * rarer the longer a server is away. It sends nothing again by itself, keeps nothing for later, and lets the process
 * exit while no call waits for an answer.
 */
export class Connection extends Link {
  declare readonly client: Redis
  readonly repeats = true
  #timeLimit = 5000
  #waiting = 0
  /** A connection is being made or checked, or the next attempt has its time. */
  #isTrying = false
  /** When the first attempt since the last connection that worked began. */
  #missedAt: number | undefined
  #attempts = 0
  #pausedUntil = 0
  #isClosed = false
  #attemptEnd: NodeJS.Timeout | undefined
  #nextAttempt: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  /** When calls began to wait, or something was last seen to have come. */
  #heardAt = 0
  /** What had come by then, in bytes. */
  #heard = 0

  constructor(url: string, tls: ConnectionOptions | undefined) {
    const client = new Redis(url, {
      ...(tls && { tls }),
      lazyConnect: true,
      // The time of an attempt counts until the connection is checked.
      connectTimeout: 0,
      maxLoadingRetryTime: LAST_RETRY,
      // With these, a connection that breaks ends, and whatever waited for an answer fails at once.
      retryStrategy: () => null,
      maxRetriesPerRequest: null,
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      // After a failover the address may lead to another server, but not on this connection.
      reconnectOnError: (error) => /\bREADONLY\b/.test(error.message),
    })
    super(client)
    client.on('error', (error) => {
      this.failure = error
    })
    client.on('connect', () => {
      this.#heardAt = uptime()
      this.#settle()
    })
    client.on('end', () => this.#ended())
  }

  override limit(timeLimit: number): void {
    this.#timeLimit = timeLimit
    if (this.#looking === undefined) return
    clearTimeout(this.#looking)
    this.#looking = this.#lookLater()
  }

  /** Keeps the process alive until `release`. */
  override hold(): void {
    if (this.#waiting++ > 0) return
    this.#heardAt = uptime()
    this.#looking ??= this.#lookLater()
    this.#settle()
  }

  override release(): void {
    if (--this.#waiting === 0) this.#settle()
  }

  override close(): void {
    this.#isClosed = true
    clearTimeout(this.#nextAttempt)
    this.client.disconnect()
    if (!this.isUsable) this.client.stream?.destroy()
    this.turnAway(new Error('the connection was closed'))
  }

  protected reach(): void {
    if (this.#isClosed) throw new Error('the connection was closed')
    if (this.#isTrying) return
    if (uptime() < this.#pausedUntil) throw this.failure ?? new Error('Redis closed the connection')
    this.#try()
  }

  #try(): void {
    this.#isTrying = true
    this.#missedAt ??= uptime()
    const within = this.#timeLimit * CONNECT_SHARE
    this.#attemptEnd = setTimeout(() => {
      const error = new Error(`Redis gave no answer within ${within} ms`)
      this.client.stream?.destroy(Object.assign(error, { code: 'ETIMEDOUT' }))
    }, within).unref()
    if (this.client.status === 'ready') this.#check()
    // Why not, the event `end` tells.
    else
      this.client.connect().then(
        () => this.#check(),
        () => {},
      )
  }

  #check(): void {
    const { stream } = this.client
    this.inspect(this.client, this.client.options.db).then(
      (found) => {
        clearTimeout(this.#attemptEnd)
        this.#isTrying = false
        this.#missedAt = undefined
        this.#attempts = 0
        this.admit([found])
      },
      (error) => {
        if (isReply(error)) this.failure = error
        stream.destroy()
      },
    )
  }

  /** The connection is closed, or was never made. */
  #ended(): void {
    clearTimeout(this.#attemptEnd)
    this.breaks++
    this.isUsable = false
    this.#isTrying = false
    if (!this.hasWaiters || this.#isClosed) return
    const now = uptime()
    this.#missedAt ??= now
    const isOver = now - this.#missedAt > this.#timeLimit * GRACE_SHARE
    // What Redis itself refuses, such as a password, it refuses again.
    if (isOver || isReply(this.failure) || isFault(this.failure)) {
      this.#pausedUntil = now + PAUSE
      this.turnAway(this.failure ?? new Error('Redis closed the connection'))
    } else {
      this.#isTrying = true
      const pause = Math.min(FIRST_RETRY * 2 ** this.#attempts++, LAST_RETRY)
      this.#nextAttempt = setTimeout(() => this.#try(), pause)
    }
  }

  #lookLater(): NodeJS.Timeout {
    return setTimeout(this.#look, this.#timeLimit / LOOKS).unref()
  }

  /** Ends a connection on which nothing comes although an answer is due. */
  #look = (): void => {
    this.#looking = this.#waiting > 0 ? this.#lookLater() : undefined
    const { stream } = this.client
    const now = uptime()
    // While it is made and checked, the time of the attempt counts.
    if (!this.isUsable || stream.bytesRead !== this.#heard) {
      this.#heard = stream?.bytesRead ?? 0
      this.#heardAt = now
    } else if (this.#waiting > 0 && now - this.#heardAt >= this.#timeLimit * CONNECT_SHARE)
      stream.destroy(new Error(`Redis sent nothing for ${Math.round(now - this.#heardAt)} ms`))
  }

  #settle(): void {
    const { stream } = this.client
    // A socket without a connection adds a listener each time; the event `connect` settles it.
    if (!stream || stream.pending) return
    if (this.#waiting > 0) stream.ref()
    else stream.unref()
  }
}
