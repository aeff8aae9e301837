import type { Socket } from 'node:net'

/** Which way bytes go. */
export type Direction = 'toServer' | 'toClient'

/** Some bytes on their way, and what happens to the connection when they have left. */
export interface Parcel {
  readonly bytes: Buffer
  /** Milliseconds that they take beyond what all take; 0 by default. */
  readonly late?: number
  /** `end`: nothing more comes this way; `cut`: the connection is closed. */
  readonly last?: 'end' | 'cut'
}

/** What a connection asks of its proxy. */
export interface Handler {
  /** Bytes have come in; returns what is handed on of them, if anything. */
  take(connection: Connection, direction: Direction, bytes: Buffer): Parcel | undefined
  /** Milliseconds that all that comes in now takes on its way. */
  delayOf(direction: Direction): number
  /** Bytes have left. */
  sent(connection: Connection, direction: Direction, bytes: Buffer): void
  /** A side has ended or closed the connection. */
  ended(connection: Connection): void
}

export const NOTHING: Buffer = Buffer.alloc(0)

/** One way of a connection: bytes leave in the order in which they came, none before its time. */
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

  /** Hands it on after so many milliseconds. After what ends the lane, nothing is. */
  push(parcel: Parcel, delay: number): void {
    if (this.#isOver) return
    this.#isOver = parcel.last === 'cut'
    this.#queue.push({ ...parcel, at: performance.now() + delay + (parcel.late ?? 0) })
    this.#flush()
  }

  /** Keeps what comes, or lets it go on. */
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

/** A client's connection and the one to the server that belongs to it. */
export class Connection {
  /** The how manieth of its proxy it is, from 1 on. */
  readonly number: number
  #isSilent = false
  readonly #client: Socket
  readonly #server: Socket
  readonly #lanes: Readonly<Record<Direction, Lane>>

  /** Begins to hand on what comes, unless it is held. The sockets allow to be half open. */
  constructor(number: number, client: Socket, server: Socket, handler: Handler) {
    this.number = number
    this.#client = client
    this.#server = server
    const lane = (direction: Direction, from: Socket, to: Socket): Lane => {
      const made = new Lane(from, to, (bytes) => handler.sent(this, direction, bytes))
      const push = (parcel: () => Parcel | undefined): void => {
        if (direction === 'toClient' && this.#isSilent) return
        const handed = parcel()
        if (handed) made.push(handed, handler.delayOf(direction))
      }
      from.setNoDelay(true)
      from.on('data', (bytes) => push(() => handler.take(this, direction, bytes)))
      from.on('end', () => {
        push(() => ({ bytes: NOTHING, last: 'end' }))
        this.#settle()
        handler.ended(this)
      })
      // What happened is told by `close`, which follows.
      from.on('error', () => {})
      from.on('close', () => {
        push(() => ({ bytes: NOTHING, last: 'cut' }))
        handler.ended(this)
      })
      return made
    }
    this.#lanes = { toServer: lane('toServer', client, server), toClient: lane('toClient', server, client) }
  }

  /** Whether the client has it open. */
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

  /** From now on nothing that the server sends goes to the client, not even that it closed the connection. */
  silence(): void {
    this.#isSilent = true
    this.#settle()
  }

  /** Resets both sides at once; what was on its way is lost. */
  cut(): void {
    for (const lane of Object.values(this.#lanes)) lane.close()
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy()
  }

  /** Whoever left a silent connection is not told that the server left it, too. */
  #settle(): void {
    if (this.#isSilent && this.#client.readableEnded) this.#client.end()
  }
}
