import { once } from 'node:events'
import { createServer, connect as dial, type Server, type Socket } from 'node:net'

/** Where a server listens; only port 0 to 65535 of this machine is meant. */
export interface Target {
  readonly port: number
  readonly host?: string
}

/** Faults at random, by a seed. Rates are from 0 to 1. */
export interface Chaos {
  /** The same seed gives the same faults, as far as the network cuts its data into the same pieces. */
  readonly seed: number
  /** The share of the server's answers that are lost, and their connection with them. Default 0. */
  readonly loseReplies?: number
  /** The share of pieces, in both directions, after which the connection is cut. Default 0. */
  readonly cuts?: number
  /** The share of answers that are lost while the connection stays open and says nothing more. Default 0. */
  readonly silences?: number
  /** The longest delay of a piece, in milliseconds; each has one of its own. Default 0. */
  readonly delay?: number
}

/** A TCP proxy between a client and its server, whose network has faults. It knows no protocol. */
export interface FaultyProxy extends AsyncDisposable {
  readonly port: number
  /** How many connections clients have opened so far, with those that were cut or refused. */
  readonly accepted: number
  /** How many connections are open. */
  readonly open: number
  /** The URL with the proxy's host and port in place of the server's. */
  through(url: string): string
  /** The next answer of the server is lost, on whichever connection: fulfils when it is. `cut`: the connection ends with it; default `true`. */
  loseNextReply(options?: { cut?: boolean }): Promise<void>
  /** The next answer is handed on up to so many bytes, and then the connection is cut; fulfils when it is. */
  cutNextReplyAfter(bytes: number): Promise<void>
  /** The next answer is handed on twice; fulfils when it is. */
  repeatNextReply(): Promise<void>
  /** Each piece waits so many milliseconds, in each direction. */
  delay(milliseconds: { toServer?: number; toClient?: number }): void
  /** Connections stay open, and nothing is handed on in either direction. */
  pause(): void
  /** Hands on what waits, and all that follows. */
  resume(): void
  /** New connections are reset at once. */
  refuse(): void
  /** New connections are taken again. */
  accept(): void
  /** Ends all connections, on both sides. */
  cut(): void
  /** New connections go to another server; those that are open end. */
  redirect(target: Target): void
  /** Faults at random from now on. */
  chaos(faults: Chaos): void
  /** Ends the faults at random, and every delay. */
  calm(): void
  /** Ends all connections and stops listening. */
  stop(): Promise<void>
}

type Direction = 'toServer' | 'toClient'

/** What becomes of one answer of the server. */
type ReplyFault = (link: Link, piece: Buffer) => void

/** Starts a proxy on a port of its own on loopback. */
export async function startProxy(target: Target): Promise<FaultyProxy> {
  const made = new Faulty(target)
  await made.listen()
  return made
}

class Faulty implements FaultyProxy {
  #target: Target
  #server: Server
  #links = new Set<Link>()
  #next: ReplyFault[] = []
  #chaos: Chaos | undefined
  #random = mulberry32(0)
  #refuses = false
  #delays: Record<Direction, number> = { toServer: 0, toClient: 0 }
  isPaused = false
  accepted = 0

  constructor(target: Target) {
    this.#target = target
    // Half-open connections end as they would without a proxy: by the two sides themselves.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#connect(client))
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  get open(): number {
    return this.#links.size
  }

  through(url: string): string {
    // Some schemes keep URL from setting their host: the place is replaced as text, after the credentials.
    return url.replace(/^([a-z+]+:\/\/(?:[^@/]*@)?)[^/?]*/i, `$1127.0.0.1:${this.port}`)
  }

  loseNextReply({ cut = true }: { cut?: boolean } = {}): Promise<void> {
    return this.#once((link) => {
      if (cut) link.cut()
      else link.isSilent = true
    })
  }

  cutNextReplyAfter(bytes: number): Promise<void> {
    return this.#once((link, piece) => {
      link.hand('toClient', piece.subarray(0, bytes))
      link.cutOnceSent()
    })
  }

  repeatNextReply(): Promise<void> {
    return this.#once((link, piece) => {
      link.hand('toClient', piece)
      link.hand('toClient', piece)
    })
  }

  delay(milliseconds: Partial<Record<Direction, number>>): void {
    this.#delays = { toServer: 0, toClient: 0, ...milliseconds }
  }

  pause(): void {
    this.isPaused = true
    for (const link of this.#links) link.pause()
  }

  resume(): void {
    this.isPaused = false
    for (const link of this.#links) link.resume()
  }

  refuse(): void {
    this.#refuses = true
  }

  accept(): void {
    this.#refuses = false
  }

  cut(): void {
    for (const link of this.#links) link.cut()
  }

  redirect(target: Target): void {
    this.#target = target
    this.cut()
  }

  chaos(faults: Chaos): void {
    this.#chaos = faults
    this.#random = mulberry32(faults.seed)
  }

  calm(): void {
    this.#chaos = undefined
    this.#delays = { toServer: 0, toClient: 0 }
  }

  async stop(): Promise<void> {
    this.cut()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #once(fault: ReplyFault): Promise<void> {
    return new Promise((resolve) => {
      this.#next.push((link, piece) => {
        fault(link, piece)
        resolve()
      })
    })
  }

  #connect(client: Socket): void {
    this.accepted++
    if (this.#refuses) {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const { port, host = '127.0.0.1' } = this.#target
    const server = dial({ port, host, allowHalfOpen: true, noDelay: true })
    const link = new Link(client, server, () => this.#links.delete(link))
    this.#links.add(link)
    if (this.isPaused) link.pause()
    client.on('data', (piece) => this.#piece(link, 'toServer', piece as Buffer))
    server.on('data', (piece) => this.#piece(link, 'toClient', piece as Buffer))
  }

  #piece(link: Link, direction: Direction, piece: Buffer): void {
    if (direction === 'toClient') {
      if (link.isSilent) return
      const fault = this.#next.shift()
      if (fault) return fault(link, piece)
    }
    const chaos = this.#chaos
    if (chaos) {
      const { loseReplies = 0, cuts = 0, silences = 0 } = chaos
      const dice = this.#random()
      if (direction === 'toClient' && dice < loseReplies) return link.cut()
      if (direction === 'toClient' && dice < loseReplies + silences) {
        link.isSilent = true
        return
      }
      if (this.#random() < cuts) {
        link.hand(direction, piece.subarray(0, Math.floor(piece.length * this.#random())))
        return link.cutOnceSent()
      }
    }
    const delay = this.#delays[direction] + (chaos?.delay ? Math.floor(this.#random() * chaos.delay) : 0)
    link.hand(direction, piece, delay)
  }
}

/** The two halves of one connection. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  /** Nothing that the server says is handed on any more. */
  isSilent = false
  #last: Record<Direction, Promise<void>> = { toServer: Promise.resolve(), toClient: Promise.resolve() }

  constructor(client: Socket, server: Socket, ended: () => void) {
    this.#client = client
    this.#server = server
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => to.destroy())
      from.on('end', () => void this.#after(from === client ? 'toServer' : 'toClient', () => to.end()))
      from.on('close', () => {
        // What is on its way still arrives, unless the connection was cut.
        void this.#after(from === client ? 'toServer' : 'toClient', () => to.destroySoon())
        if (client.destroyed && server.destroyed) ended()
      })
    }
  }

  /** Hands a piece on, in the order of the pieces, after so many milliseconds. */
  hand(direction: Direction, piece: Buffer, delay = 0): void {
    const to = direction === 'toServer' ? this.#server : this.#client
    const write = (): void => {
      if (to.writable) to.write(piece)
    }
    if (delay > 0) void this.#after(direction, write, delay)
    else void this.#after(direction, write)
  }

  pause(): void {
    this.#client.pause()
    this.#server.pause()
  }

  resume(): void {
    this.#client.resume()
    this.#server.resume()
  }

  cut(): void {
    for (const socket of [this.#client, this.#server]) {
      // A reset: whoever has something on its way loses it.
      if (!socket.destroyed) socket.resetAndDestroy()
    }
  }

  /** Cuts once the client has what was handed on so far. */
  cutOnceSent(): void {
    this.isSilent = true
    void this.#after('toClient', () => {
      this.#client.destroySoon()
      this.#server.destroy()
    })
  }

  #after(direction: Direction, work: () => void, delay = 0): Promise<void> {
    const wait = delay > 0 ? new Promise((resolve) => setTimeout(resolve, delay)) : undefined
    const last = this.#last[direction].then(() => wait).then(work)
    this.#last[direction] = last
    return last
  }
}

/** Random numbers from 0 to 1 by a seed (mulberry32, public domain by Tommy Ettinger). */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
