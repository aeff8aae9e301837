import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Connection, type Direction, type Handler, NOTHING, type Parcel } from './proxy-connection.ts'
import { randomFrom } from './random.ts'

export type { Direction } from './proxy-connection.ts'

/** A server to lead to: its URL, or its port, on 127.0.0.1 unless a host is given. Servers of the testbed are targets. */
export type Target = string | { readonly port: number; readonly host?: string; readonly url?: string }

/** Which request a fault is about. */
export interface Aim {
  /** Says of a piece of what clients send whether it is meant; by default the next one is, on whichever connection. */
  readonly when?: (request: Buffer) => boolean
}

/** Faults at random, by a seed. Rates are from 0 to 1; a piece is what one read of a socket gives. */
export interface Chaos {
  /** A whole number from 0 to 2³² - 1; by default one is drawn, and written to stderr. */
  readonly seed?: number
  /** The share of pieces of the server's answers that are lost, and their connection with them. Default 0. */
  readonly loseReplies?: number
  /** The share of pieces of answers that are lost while the connection stays open and says nothing more. Default 0. */
  readonly silences?: number
  /** The share of pieces, each way, of which only the beginning arrives before the connection is cut. Default 0. */
  readonly cuts?: number
  /** The longest delay of a piece, in milliseconds; each has one of its own. Default 0. */
  readonly delay?: number
}

/** Decides what becomes of a piece of an answer; `happened` is called when the fault is over. */
type Strike = (connection: Connection, piece: Buffer, happened: () => void) => Parcel | undefined

interface Fault {
  readonly when: (request: Buffer) => boolean
  readonly strike: Strike
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** The connection whose request was meant; undefined while none was. */
  connection: Connection | undefined
}

const directions = ['toServer', 'toClient'] as const

const standardPorts: Readonly<Record<string, number>> = {
  'redis:': 6379,
  'postgres:': 5432,
  'postgresql:': 5432,
  'mongodb:': 27_017,
}

/**
 * Starts a TCP proxy on a port of its own of 127.0.0.1, between clients and one server, that does to their connections
 * what networks do. It knows no protocol, so it serves all.
 */
export async function startProxy(target: Target): Promise<FaultyProxy> {
  const proxy = new FaultyProxy(target)
  await proxy.listen()
  return proxy
}

/**
 * A network between clients and one server; see `startProxy`. Faults of the next answer wait for the request that they
 * are about, made from now on. Their promise fulfils when they have happened, and rejects when the proxy is stopped before.
 */
export class FaultyProxy implements AsyncDisposable {
  #accepted = 0
  #faults = 0
  readonly #bytes: Record<Direction, number> = { toServer: 0, toClient: 0 }
  #target: Target
  readonly #server: Server = createServer({ allowHalfOpen: true }, (client) => this.#connect(client))
  readonly #connections = new Set<Connection>()
  readonly #held = new Set<Direction>()
  #refuses = false
  #delays: Readonly<Partial<Record<Direction, number>>> = {}
  #armed: Fault[] = []
  #chaos: (Chaos & { readonly seed: number }) | undefined
  #randoms = new WeakMap<Connection, Record<Direction, () => number>>()
  readonly #watchers = new Set<() => void>()
  #isStopped = false

  constructor(target: Target) {
    this.#target = target
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  /** The port to connect to, on 127.0.0.1. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The target's URL, through the proxy; `tcp://127.0.0.1:<port>` where the target has none. */
  get url(): string {
    const url = typeof this.#target === 'string' ? this.#target : this.#target.url
    return url === undefined ? `tcp://127.0.0.1:${this.port}` : this.through(url)
  }

  /** How many connections clients have open. */
  get open(): number {
    return [...this.#connections].filter(({ isOpen }) => isOpen).length
  }

  /** How many connections clients have opened so far, with those that were cut or refused. */
  get accepted(): number {
    return this.#accepted
  }

  /** How many faults have happened so far, to single answers or at random; delays are none. */
  get faults(): number {
    return this.#faults
  }

  /** How many bytes were handed on so far, each way. */
  get bytes(): Readonly<Record<Direction, number>> {
    return this.#bytes
  }

  /**
   * The URL with the proxy's host and port in place of the server's. MongoDB's clients must be told `directConnection=true`,
   * or they go on to the address that the server gives.
   */
  through(url: string): string {
    return url.replace(/^([a-z+]+:\/\/(?:[^@/]*@)?)[^/?]*/i, `$1127.0.0.1:${this.port}`)
  }

  /**
   * Fulfils when the condition holds; it is asked whenever something happens here. Rejects after `timeout` milliseconds
   * (10,000 by default), and when the proxy is stopped.
   */
  until(holds: (proxy: this) => boolean, timeout: number = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: unknown): void => {
        clearTimeout(timer)
        this.#watchers.delete(look)
        if (error) reject(error)
        else resolve()
      }
      const look = (): void => {
        try {
          if (holds(this)) end()
          else if (this.#isStopped) end(new Error('the proxy was stopped'))
        } catch (error) {
          end(error)
        }
      }
      const timer = setTimeout(() => {
        const { open, accepted, faults, bytes } = this
        const state = JSON.stringify({ open, accepted, faults, bytes })
        end(new Error(`the condition did not hold within ${timeout} ms: ${state}`))
      }, timeout)
      this.#watchers.add(look)
      look()
    })
  }

  /**
   * The next answer is lost: the server has done what was asked, and the client does not hear. The connection is cut when
   * the answer has come; with `cut: false` it stays open, and whatever else the server says on it is lost, too.
   */
  loseNextReply({ when, cut = true }: Aim & { readonly cut?: boolean } = {}): Promise<void> {
    return this.#arm(when, (connection, _piece, happened) => {
      happened()
      if (cut) connection.cut()
      else connection.silence()
      return undefined
    })
  }

  /** Of the next answer, and of what follows it, so many bytes are handed on, and then the connection is cut. */
  cutNextReplyAfter(bytes: number, { when }: Aim = {}): Promise<void> {
    let left = bytes
    return this.#arm(when, (_connection, piece, happened) => {
      if (piece.length < left) {
        left -= piece.length
        return { bytes: piece }
      }
      happened()
      return { bytes: piece.subarray(0, left), last: 'cut' }
    })
  }

  /** The first piece of the next answer is handed on twice. */
  repeatNextReply({ when }: Aim = {}): Promise<void> {
    return this.#arm(when, (_connection, piece, happened) => {
      happened()
      return { bytes: Buffer.concat([piece, piece]) }
    })
  }

  /** What comes in from now on waits so many milliseconds, in each direction; 0 where nothing is said. */
  delay(milliseconds: Readonly<Partial<Record<Direction, number>>>): void {
    this.#delays = milliseconds
  }

  /** Connections stay open, and nothing is handed on, not even that one was closed: in both directions, or only in one. */
  pause(only?: Direction): void {
    this.#hold(only, true)
  }

  /** Hands on what waits, and all that follows. */
  resume(only?: Direction): void {
    this.#hold(only, false)
  }

  /** New connections are reset at once. */
  refuse(): void {
    this.#refuses = true
  }

  /** New connections are taken again. */
  accept(): void {
    this.#refuses = false
  }

  /** Resets all connections, on both sides; what is on its way is lost. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /** New connections go to another server; those that are open end. */
  redirect(target: Target): void {
    this.#target = target
    this.cut()
  }

  /**
   * Faults at random from now on. Returns the seed: with the same one the same happens to the same pieces, each way, of
   * the connection of the same number, however connections take turns.
   */
  chaos(faults: Chaos): number {
    const seed = faults.seed ?? Math.floor(Math.random() * 2 ** 32)
    if (faults.seed === undefined) process.stderr.write(`proxy: chaos by the seed ${seed}\n`)
    this.#chaos = { ...faults, seed }
    this.#randoms = new WeakMap()
    return seed
  }

  /** Ends the faults at random, and every delay. A connection that fell silent stays so. */
  calm(): void {
    this.#chaos = undefined
    this.#delays = {}
  }

  /** Ends all connections and stops listening. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.cut()
    for (const { reject } of this.#armed.splice(0)) {
      reject(new Error('the proxy was stopped before the fault happened'))
    }
    this.#changed()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #connect(client: Socket): void {
    this.#accepted++
    if (this.#refuses) {
      client.on('error', () => {})
      client.resetAndDestroy()
    } else {
      const server = connect({ ...addressOf(this.#target), allowHalfOpen: true })
      const connection = new Connection(this.#accepted, client, server, this.#handler)
      this.#connections.add(connection)
      for (const direction of this.#held) connection.hold(direction, true)
    }
    this.#changed()
  }

  readonly #handler: Handler = {
    take: (connection, direction, piece) => {
      const fault =
        direction === 'toClient' ? this.#armed.find((each) => each.connection === connection) : undefined
      if (fault) return fault.strike(connection, piece, () => this.#happened(fault))
      return this.#chaos ? this.#upset(this.#chaos, connection, direction, piece) : { bytes: piece }
    },
    delayOf: (direction) => this.#delays[direction] ?? 0,
    sent: (connection, direction, piece) => {
      this.#bytes[direction] += piece.length
      if (direction === 'toServer') {
        const fault = this.#armed.find((each) => !each.connection && each.when(piece))
        if (fault) fault.connection = connection
      }
      this.#changed()
    },
    ended: (connection) => {
      if (connection.isGone) {
        this.#connections.delete(connection)
        // The answer will not come any more: the faults are about another one.
        for (const fault of this.#armed) if (fault.connection === connection) fault.connection = undefined
      }
      this.#changed()
    },
  }

  /** What chaos makes of a piece. */
  #upset(
    { seed, loseReplies = 0, silences = 0, cuts = 0, delay = 0 }: Chaos & { readonly seed: number },
    connection: Connection,
    direction: Direction,
    piece: Buffer,
  ): Parcel | undefined {
    const random = this.#randomOf(seed, connection, direction)
    // Each piece draws as often, so that what becomes of the next does not depend on what became of it.
    const [what, where, late] = [random(), random(), random() * delay] as const
    const [lost, silenced] = direction === 'toClient' ? [loseReplies, silences] : [0, 0]
    if (what >= cuts + lost + silenced) return { bytes: piece, late }
    this.#faults++
    this.#changed()
    if (what < cuts) return { bytes: piece.subarray(0, Math.floor(where * piece.length)), last: 'cut', late }
    if (what < cuts + lost) return { bytes: NOTHING, last: 'cut', late }
    connection.silence()
    return undefined
  }

  #randomOf(seed: number, connection: Connection, direction: Direction): () => number {
    const randoms = this.#randoms.get(connection) ?? {
      toServer: randomFrom(seed, connection.number, 0),
      toClient: randomFrom(seed, connection.number, 1),
    }
    this.#randoms.set(connection, randoms)
    return randoms[direction]
  }

  #hold(only: Direction | undefined, isHeld: boolean): void {
    for (const direction of only ? [only] : directions) {
      if (isHeld) this.#held.add(direction)
      else this.#held.delete(direction)
      for (const connection of this.#connections) connection.hold(direction, isHeld)
    }
  }

  #arm(when: Aim['when'] = () => true, strike: Strike): Promise<void> {
    const happened = new Promise<void>((resolve, reject) => {
      this.#armed.push({ when, strike, resolve, reject, connection: undefined })
    })
    // Whoever does not wait for it need not catch it either.
    happened.catch(() => {})
    return happened
  }

  #happened(fault: Fault): void {
    this.#armed = this.#armed.filter((each) => each !== fault)
    this.#faults++
    fault.resolve()
    this.#changed()
  }

  #changed(): void {
    for (const look of this.#watchers) look()
  }
}

function addressOf(target: Target): { host: string; port: number } {
  if (typeof target !== 'string') return { host: target.host ?? '127.0.0.1', port: target.port }
  const { hostname, port, protocol } = new URL(target)
  // Brackets are how a URL writes an address of IPv6.
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || standardPorts[protocol]! }
}
