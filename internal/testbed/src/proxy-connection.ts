import type { Socket } from 'node:net'

/** The direction in which bytes travel. */
export type Direction = 'toServer' | 'toClient'

/** Some bytes in transit, and what happens to the connection after they are sent. */
export interface Parcel {
  readonly bytes: Buffer
  /**
   * Additional delay in milliseconds.
   * @default 0
   */
  readonly late?: number
  /** `end`: nothing follows in this direction; `cut`: the connection is closed. */
  readonly last?: 'end' | 'cut'
}

/** The callbacks through which a connection consults its proxy. */
export interface Handler {
  /** Receives incoming bytes. Returns the parcel to forward, if any. */
  take(connection: Connection, direction: Direction, bytes: Buffer): Parcel | undefined
  /** Returns the delay of incoming bytes, in milliseconds. */
  delayOf(direction: Direction): number
  /** Is called after bytes were forwarded. */
  sent(connection: Connection, direction: Direction, bytes: Buffer): void
  /** Is called after one side has ended or closed the connection. */
  ended(connection: Connection): void
}

export const NOTHING: Buffer = Buffer.alloc(0)

/**
 * One direction of a connection. Bytes leave in the order in which they came, none before its time.
 */
class Lane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #sent: (bytes: Buffer) => void
  readonly #queue: (Parcel & { at: number })[] = []
  #timer: NodeJS.Timeout | undefined
  #isHeld = false
  /** Whether the receiver is slower than the sender. */
  #isFull = false
  #isOver = false

  constructor(from: Socket, to: Socket, sent: (bytes: Buffer) => void) {
    this.#from = from
    this.#to = to
    this.#sent = sent
    to.on('drain', () => {
      this.#isFull = false
      this.#settle()
    })
  }

  /** Forwards the parcel after `delay` milliseconds. Parcels after a `cut` are dropped. */
  push(parcel: Parcel, delay: number): void {
    if (this.#isOver) return
    this.#isOver = parcel.last === 'cut'
    this.#queue.push({ ...parcel, at: performance.now() + delay + (parcel.late ?? 0) })
    this.#flush()
  }

  /** Holds back all bytes, or forwards them again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#settle()
    this.#flush()
  }

  close(): void {
    this.#isOver = true
    this.#queue.length = 0
    clearTimeout(this.#timer)
  }

  #settle(): void {
    if (this.#isHeld || this.#isFull) this.#from.pause()
    else this.#from.resume()
  }

  #flush = (): void => {
    clearTimeout(this.#timer)
    while (!this.#isHeld && this.#queue.length > 0) {
      const wait = this.#queue[0]!.at - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(this.#flush, wait)
        return
      }
      const { bytes, last } = this.#queue.shift()!
      if (last === 'cut') {
        this.#to.end(bytes, () => this.#to.destroy())
        this.#from.destroy()
      } else if (last === 'end') this.#to.end(bytes)
      else if (!this.#to.write(bytes)) {
        this.#isFull = true
        this.#settle()
      }
      if (bytes.length > 0) this.#sent(bytes)
    }
  }
}

/** A client's connection, together with the proxy's own connection to the server. */
export class Connection {
  /** The number of this connection within its proxy, from 1. */
  readonly number: number
  #isSilent = false
  readonly #client: Socket
  readonly #server: Socket
  readonly #lanes: Readonly<Record<Direction, Lane>>

  /** Starts to forward bytes unless held. Both sockets must allow half-open connections. */
  constructor(number: number, client: Socket, server: Socket, handler: Handler) {
    this.number = number
    this.#client = client
    this.#server = server
    const lane = (direction: Direction, from: Socket, to: Socket): Lane => {
      const created = new Lane(from, to, (bytes) => handler.sent(this, direction, bytes))
      const push = (parcel: () => Parcel | undefined): void => {
        if (direction === 'toClient' && this.#isSilent) return
        const handed = parcel()
        if (handed) created.push(handed, handler.delayOf(direction))
      }
      from.setNoDelay(true)
      from.on('data', (bytes) => push(() => handler.take(this, direction, bytes)))
      from.on('end', () => {
        push(() => ({ bytes: NOTHING, last: 'end' }))
        this.#settle()
        handler.ended(this)
      })
      // The `close` event follows and is handled below.
      from.on('error', () => {})
      from.on('close', () => {
        push(() => ({ bytes: NOTHING, last: 'cut' }))
        handler.ended(this)
      })
      return created
    }
    this.#lanes = { toServer: lane('toServer', client, server), toClient: lane('toClient', server, client) }
  }

  /** Whether the client has the connection open. */
  get isOpen(): boolean {
    return !this.#client.destroyed && !this.#client.readableEnded
  }

  /** Whether both sides are closed. */
  get isGone(): boolean {
    return this.#client.destroyed && this.#server.destroyed
  }

  hold(direction: Direction, isHeld: boolean): void {
    this.#lanes[direction].hold(isHeld)
  }

  /** Drops everything that the server sends from now on, even the end of the connection. */
  silence(): void {
    this.#isSilent = true
    this.#settle()
  }

  /** Resets both sides at once. Bytes in transit are lost. */
  cut(): void {
    for (const lane of Object.values(this.#lanes)) lane.close()
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy()
  }

  /** Ends the client's side of a silent connection after the client has ended its own. */
  #settle(): void {
    if (this.#isSilent && this.#client.readableEnded) this.#client.end()
  }
}
