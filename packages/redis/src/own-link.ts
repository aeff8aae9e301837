import type { ConnectionOptions } from 'node:tls'
import { timers } from '@session-stores/core'
import type { Redis } from 'ioredis'
import { createClient } from './client.ts'
import { isFault, isReply } from './errors.ts'
import { CONNECT_SHARE, Link } from './link.ts'
import { refuseUnasked } from './unasked.ts'

const { clearTimeout, setTimeout, uptime } = timers

/**
 * The share of the time limit in which calls wait for a server that is down: it may start again, or
 * have a successor.
 */
const GRACE_SHARE = 0.12
/**
 * How long calls fail at once after that, in milliseconds, so that a server that starts is not
 * overrun.
 */
const PAUSE = 200
/**
 * The first and the longest pause between two attempts, in milliseconds. Each is twice the last.
 */
const [FIRST_RETRY, LAST_RETRY] = [100, 400]
/**
 * How many times within the time limit a connection is checked for silence. A timer for each call,
 * as ioredis has it, would cost a lone call 4 µs.
 */
const LOOKS = 10

/**
 * The driver's own connection. It connects when a call needs it, at its own times, because attempts
 * of ioredis become rarer the longer a server is away. It resends nothing by itself and keeps
 * nothing for later. The process may exit while no call waits for an answer.
 */
export class OwnLink extends Link {
  declare readonly client: Redis
  readonly resends = true
  #timeLimit = 5000
  #waiting = 0
  /** Whether a connection is being made or checked, or the next attempt is scheduled. */
  #isTrying = false
  /** When the first attempt since the last connection that worked began. */
  #missedAt: number | undefined
  #attempts = 0
  #pausedUntil = 0
  #isClosed = false
  #attemptEnd: NodeJS.Timeout | undefined
  #nextAttempt: NodeJS.Timeout | undefined
  #nextLook: NodeJS.Timeout | undefined
  /** When calls began to wait, or a look last found that something had come. */
  #heardAt = 0
  /** How many bytes had come by the last look. */
  #heard = 0

  constructor(url: string, tls: ConnectionOptions | undefined) {
    const client = createClient(url, tls, LAST_RETRY)
    super(client)
    refuseUnasked(client)
    client.on('error', (error) => {
      this.failure = error
    })
    client.on('connect', () => {
      this.#heardAt = uptime()
      this.#holdProcess()
    })
    client.on('end', () => this.#onEnd())
  }

  override limit(timeLimit: number): void {
    this.#timeLimit = timeLimit
    if (this.#nextLook === undefined) return
    clearTimeout(this.#nextLook)
    this.#nextLook = this.#scheduleLook()
  }

  /** Keeps the process alive until `release`. */
  override hold(): void {
    if (this.#waiting++ > 0) return
    this.#heardAt = uptime()
    this.#nextLook ??= this.#scheduleLook()
    this.#holdProcess()
  }

  override release(): void {
    if (--this.#waiting === 0) this.#holdProcess()
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
    const limit = this.#timeLimit * CONNECT_SHARE
    this.#attemptEnd = setTimeout(() => {
      const error = new Error(`Redis gave no answer within ${limit} ms`)
      this.client.stream?.destroy(Object.assign(error, { code: 'ETIMEDOUT' }))
    }, limit).unref()
    if (this.client.status === 'ready') this.#check()
    // The event `end` handles a failure.
    else
      this.client.connect().then(
        () => this.#check(),
        () => {},
      )
  }

  #check(): void {
    const { stream } = this.client
    this.inspect(this.client, this.client.options.db).then(
      (inspection) => {
        clearTimeout(this.#attemptEnd)
        this.#isTrying = false
        this.#missedAt = undefined
        this.#attempts = 0
        this.admit([inspection])
      },
      (error) => {
        if (isReply(error)) this.failure = error
        stream.destroy()
      },
    )
  }

  /** The connection was closed, or was never made. */
  #onEnd(): void {
    clearTimeout(this.#attemptEnd)
    this.breaks++
    this.isUsable = false
    this.#isTrying = false
    if (!this.hasWaiters || this.#isClosed) return
    const now = uptime()
    this.#missedAt ??= now
    const isOver = now - this.#missedAt > this.#timeLimit * GRACE_SHARE
    // Redis would refuse again whatever it has refused itself, such as a password.
    if (isOver || isReply(this.failure) || isFault(this.failure)) {
      this.#pausedUntil = now + PAUSE
      this.turnAway(this.failure ?? new Error('Redis closed the connection'))
    } else {
      this.#isTrying = true
      const pause = Math.min(FIRST_RETRY * 2 ** this.#attempts++, LAST_RETRY)
      this.#nextAttempt = setTimeout(() => this.#try(), pause)
    }
  }

  #scheduleLook(): NodeJS.Timeout {
    return setTimeout(this.#look, this.#timeLimit / LOOKS).unref()
  }

  /** Closes a connection on which nothing comes although an answer is due. */
  #look = (): void => {
    this.#nextLook = this.#waiting > 0 ? this.#scheduleLook() : undefined
    const { stream } = this.client
    const now = uptime()
    // The time limit of the attempt counts while a connection is made and checked.
    if (!this.isUsable || stream.bytesRead !== this.#heard) {
      this.#heard = stream?.bytesRead ?? 0
      this.#heardAt = now
    } else if (this.#waiting > 0 && now - this.#heardAt >= this.#timeLimit * CONNECT_SHARE)
      stream.destroy(new Error(`Redis sent nothing for ${Math.round(now - this.#heardAt)} ms`))
  }

  /** Lets the socket keep the process alive exactly while a call waits. */
  #holdProcess(): void {
    const { stream } = this.client
    // A socket that is not connected would add a listener each time. Its event `connect` comes
    // here.
    if (!stream || stream.pending) return
    if (this.#waiting > 0) stream.ref()
    else stream.unref()
  }
}
