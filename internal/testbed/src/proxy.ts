import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Connection, type Direction, type Handler } from './proxy-connection.ts'
import { type Aim, type Chaos, ChaosSource, type Fault, type Strike } from './proxy-faults.ts'
import { type Target, toAddress } from './proxy-target.ts'
import { Watchers } from './proxy-watchers.ts'

export type { Direction } from './proxy-connection.ts'
export type { Aim, Chaos } from './proxy-faults.ts'
export type { Target } from './proxy-target.ts'

const directions = ['toServer', 'toClient'] as const

/**
 * Starts a TCP proxy on its own port of 127.0.0.1, between clients and one server. The proxy can
 * disturb connections as networks do. It works with any protocol because it does not parse any.
 */
export async function startProxy(target: Target): Promise<FaultyProxy> {
  const proxy = new FaultyProxy(target)
  await proxy.listen()
  return proxy
}

/**
 * A faulty network between clients and one server; see `startProxy`. A fault of the next reply
 * waits for a matching request from now on. Its promise resolves after the fault has happened and
 * rejects if the proxy is stopped before.
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
  #chaos: ChaosSource | undefined
  readonly #watchers = new Watchers()

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

  /** The target's URL through the proxy, or `tcp://127.0.0.1:<port>` if the target has no URL. */
  get url(): string {
    const url = typeof this.#target === 'string' ? this.#target : this.#target.url
    return url === undefined ? `tcp://127.0.0.1:${this.port}` : this.through(url)
  }

  /** The number of connections that clients have open. */
  get open(): number {
    return [...this.#connections].filter(({ isOpen }) => isOpen).length
  }

  /**
   * The number of connections that clients have opened, including those that were cut or refused.
   */
  get accepted(): number {
    return this.#accepted
  }

  /** The number of faults so far, single or random. Delays are not faults. */
  get faults(): number {
    return this.#faults
  }

  /** The number of bytes forwarded so far in each direction. */
  get bytes(): Readonly<Record<Direction, number>> {
    return this.#bytes
  }

  /**
   * Replaces the host and port of the URL by those of the proxy. MongoDB clients additionally need
   * `directConnection=true`, or they continue at the address that the server reports.
   */
  through(url: string): string {
    return url.replace(/^([a-z+]+:\/\/(?:[^@/]*@)?)[^/?]*/i, `$1127.0.0.1:${this.port}`)
  }

  /**
   * Resolves when the condition holds. The condition is checked after every event of the proxy.
   * Rejects after `timeout` milliseconds, and when the proxy is stopped.
   */
  until(holds: (proxy: this) => boolean, timeout: number = 10_000): Promise<void> {
    const describe = (): string => {
      const { open, accepted, faults, bytes } = this
      return JSON.stringify({ open, accepted, faults, bytes })
    }
    return this.#watchers.until(() => holds(this), timeout, describe)
  }

  /**
   * Loses the next reply: the server has executed the request, and the client gets no answer. By
   * default the connection is cut when the reply arrives. With `cut: false` the connection stays
   * open and all further replies on it are lost, too.
   */
  loseNextReply({ when, cut = true }: Aim & { readonly cut?: boolean } = {}): Promise<void> {
    return this.#arm(when, (connection, _piece, finish) => {
      finish()
      if (cut) connection.cut()
      else connection.silence()
      return undefined
    })
  }

  /**
   * Forwards this many bytes of the next reply and of what follows it, then cuts the connection.
   */
  cutNextReplyAfter(bytes: number, { when }: Aim = {}): Promise<void> {
    let left = bytes
    return this.#arm(when, (_connection, piece, finish) => {
      if (piece.length < left) {
        left -= piece.length
        return { bytes: piece }
      }
      finish()
      return { bytes: piece.subarray(0, left), last: 'cut' }
    })
  }

  /** Forwards the first piece of the next reply twice. */
  repeatNextReply({ when }: Aim = {}): Promise<void> {
    return this.#arm(when, (_connection, piece, finish) => {
      finish()
      return { bytes: Buffer.concat([piece, piece]) }
    })
  }

  /**
   * Delays incoming bytes from now on, in milliseconds for each direction. A missing direction has
   * no delay.
   */
  delay(milliseconds: Readonly<Partial<Record<Direction, number>>>): void {
    this.#delays = milliseconds
  }

  /**
   * Keeps connections open and forwards nothing, not even the end of a connection.
   * @param only the direction to pause; both by default
   */
  pause(only?: Direction): void {
    this.#hold(only, true)
  }

  /** Forwards what has been held back, and everything that follows. */
  resume(only?: Direction): void {
    this.#hold(only, false)
  }

  /** Resets new connections at once. */
  refuse(): void {
    this.#refuses = true
  }

  /** Accepts new connections again. */
  accept(): void {
    this.#refuses = false
  }

  /** Resets all connections on both sides. Bytes in transit are lost. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /** Connects new clients to another server and cuts all open connections. */
  redirect(target: Target): void {
    this.#target = target
    this.cut()
  }

  /**
   * Starts random faults and returns their seed. With the same seed, the same pieces of a
   * connection get the same faults, in each direction and for each connection number, whatever
   * other connections do.
   */
  chaos(faults: Chaos): number {
    const seed = faults.seed ?? Math.floor(Math.random() * 2 ** 32)
    if (faults.seed === undefined) process.stderr.write(`proxy: chaos by the seed ${seed}\n`)
    this.#chaos = new ChaosSource({ ...faults, seed }, () => {
      this.#faults++
      this.#watchers.notify()
    })
    return seed
  }

  /** Ends random faults and delays. A connection that fell silent stays silent. */
  calm(): void {
    this.#chaos = undefined
    this.#delays = {}
  }

  /** Ends all connections and stops listening. */
  async stop(): Promise<void> {
    this.#watchers.stop()
    this.cut()
    for (const { reject } of this.#armed.splice(0)) {
      reject(new Error('the proxy was stopped before the fault happened'))
    }
    this.#watchers.notify()
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
      const server = connect({ ...toAddress(this.#target), allowHalfOpen: true })
      const connection = new Connection(this.#accepted, client, server, this.#handler)
      this.#connections.add(connection)
      for (const direction of this.#held) connection.hold(direction, true)
    }
    this.#watchers.notify()
  }

  readonly #handler: Handler = {
    take: (connection, direction, piece) => {
      const fault =
        direction === 'toClient' ? this.#armed.find((each) => each.connection === connection) : undefined
      if (fault) return fault.strike(connection, piece, () => this.#finishFault(fault))
      return this.#chaos ? this.#chaos.apply(connection, direction, piece) : { bytes: piece }
    },
    delayOf: (direction) => this.#delays[direction] ?? 0,
    sent: (connection, direction, piece) => {
      this.#bytes[direction] += piece.length
      if (direction === 'toServer') {
        const fault = this.#armed.find((each) => !each.connection && each.when(piece))
        if (fault) fault.connection = connection
      }
      this.#watchers.notify()
    },
    ended: (connection) => {
      if (connection.isGone) {
        this.#connections.delete(connection)
        // The reply can no longer arrive, so the faults wait for another request.
        for (const fault of this.#armed) if (fault.connection === connection) fault.connection = undefined
      }
      this.#watchers.notify()
    },
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
    // A caller that ignores the promise must not get an unhandled rejection.
    happened.catch(() => {})
    return happened
  }

  #finishFault(fault: Fault): void {
    this.#armed = this.#armed.filter((each) => each !== fault)
    this.#faults++
    fault.resolve()
    this.#watchers.notify()
  }
}
