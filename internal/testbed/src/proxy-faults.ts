import { type Connection, type Direction, NOTHING, type Parcel } from './proxy-connection.ts'
import { randomFrom } from './random.ts'

/** Selects the request that a fault applies to. */
export interface Aim {
  /**
   * Returns whether the fault applies to this piece of a request.
   * By default the fault applies to the next piece, on any connection.
   */
  readonly when?: (request: Buffer) => boolean
}

/**
 * Random faults, determined by a seed. Rates are from 0 to 1.
 * A piece is the result of one read of a socket.
 */
export interface Chaos {
  /** An integer from 0 to 2³² - 1. By default, a random seed is chosen and written to stderr. */
  readonly seed?: number
  /**
   * The rate at which pieces of replies are lost together with their connection.
   * @default 0
   */
  readonly loseReplies?: number
  /**
   * The rate at which pieces of replies are lost while the connection stays open and silent.
   * @default 0
   */
  readonly silences?: number
  /**
   * The rate at which only the beginning of a piece, in either direction, arrives before the
   * connection is cut.
   * @default 0
   */
  readonly cuts?: number
  /**
   * The rate at which pieces of replies are replaced by as many other bytes, while the connection
   * stays open.
   * @default 0
   */
  readonly garbage?: number
  /**
   * The maximum delay of a piece in milliseconds. Each piece has its own delay.
   * @default 0
   */
  readonly delay?: number
}

/** Decides what to forward of a piece of a reply. Calls `finish` when the fault is over. */
export type Strike = (connection: Connection, piece: Buffer, finish: () => void) => Parcel | undefined

/** A fault that waits for its request or for the reply. */
export interface Fault {
  readonly when: (request: Buffer) => boolean
  readonly strike: Strike
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** The connection of the request that the fault applies to; `undefined` before that request. */
  connection: Connection | undefined
}

/** Applies random faults to pieces. Equal seeds give equal faults. */
export class ChaosSource {
  readonly #chaos: Chaos & { readonly seed: number }
  readonly #onFault: () => void
  readonly #randoms = new WeakMap<Connection, Record<Direction, () => number>>()

  /** @param onFault called for each fault; delays are not faults */
  constructor(chaos: Chaos & { readonly seed: number }, onFault: () => void) {
    this.#chaos = chaos
    this.#onFault = onFault
  }

  /** Returns what to forward of a piece, if anything. */
  apply(connection: Connection, direction: Direction, piece: Buffer): Parcel | undefined {
    const { loseReplies = 0, silences = 0, cuts = 0, garbage = 0, delay = 0 } = this.#chaos
    const random = this.#randomOf(connection)[direction]
    // Each piece draws three numbers, so its fate does not affect the numbers of the next piece.
    const [what, where, late] = [random(), random(), random() * delay] as const
    const [lost, silenced, replaced] = direction === 'toClient' ? [loseReplies, silences, garbage] : [0, 0, 0]
    if (what >= cuts + lost + silenced + replaced) return { bytes: piece, late }
    this.#onFault()
    if (what < cuts) return { bytes: piece.subarray(0, Math.floor(where * piece.length)), last: 'cut', late }
    if (what < cuts + lost) return { bytes: NOTHING, last: 'cut', late }
    if (what >= cuts + lost + silenced) return { bytes: makeGarbage(where, piece.length), late }
    connection.silence()
    return undefined
  }

  #randomOf(connection: Connection): Record<Direction, () => number> {
    const { seed } = this.#chaos
    const randoms = this.#randoms.get(connection) ?? {
      toServer: randomFrom(seed, connection.number, 0),
      toClient: randomFrom(seed, connection.number, 1),
    }
    this.#randoms.set(connection, randoms)
    return randoms
  }
}

/** Returns bytes that no protocol knows, or text of another one, as a middlebox sends it. */
function makeGarbage(random: number, length: number): Buffer {
  const next = randomFrom(Math.floor(random * 2 ** 32))
  if (next() < 0.3) return Buffer.from('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n')
  return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)))
}
