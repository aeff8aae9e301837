import { nextTick, setImmediate, uptime } from './timers.ts'

/** What waits in a batch: at most one entry a key. */
export interface Entry {
  readonly key: string
  /** About how many characters it sends. */
  readonly size: number
  /** When it was added, as `uptime` has it. */
  readonly at: number
}

/** Four batches of 64 at once, not one of 256: so that the process and the database work at the same time. */
const MAX_ENTRIES = 64
const IN_FLIGHT = 4
/** So much, in characters, goes together, unless one entry alone is larger. */
const MAX_SIZE = 4 * 1024 * 1024
/** After so many batches that nobody waits for any more, and none that was answered, only one at a time goes on trying. */
const MAX_LOST = 8

/**
 * Sends a batch. Calls `ended` when it is answered, without an error or with one, and before that `lost` if nobody
 * waits for the answer any more.
 */
export type Send<E> = (
  entries: Map<string, E>,
  ended: (isAnswered: boolean) => void,
  lost: () => void,
) => void

/**
 * Collects the calls of one verb and sends them together: at the end of the event loop's turn in which the
 * first one came, so that what many sockets asked in one turn shares a round trip; where calls come one by one, at
 * once. While a few batches are on their way, what comes collects.
 */
export class Batch<E extends Entry> {
  #waiting = new Map<string, E>()
  #size = 0
  /** Batches on their way for which somebody waits. */
  #open = 0
  /** Batches lost since the last answer. */
  #lost = 0
  #scheduled = false
  /** The last batch was one entry. */
  #alone = false
  /** The turn of the event loop in which a batch was sent and answered at once is not over. */
  #sameTurn = false
  #timeout: number
  #expire: (entry: E) => void
  #send: Send<E>

  /**
   * An entry that was not sent within `timeout` milliseconds goes to `expire` instead: whoever asked was told so,
   * and must not find it done later.
   */
  constructor(timeout: number, expire: (entry: E) => void, send: Send<E>) {
    this.#timeout = timeout
    this.#expire = expire
    this.#send = send
  }

  /** The entry of this key that is not sent yet. */
  waiting(key: string): E | undefined {
    return this.#waiting.get(key)
  }

  /** Adds an entry. One of the same key that still waits is nobody's any more: it expires. */
  add(entry: E): void {
    this.#dropExpired(entry.at)
    // In its place the new one would come before older ones, which expire in the order in which they stand.
    const before = this.#waiting.get(entry.key)
    if (before !== undefined) this.#drop(before)
    this.#waiting.set(entry.key, entry)
    this.#size += entry.size
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#isBusy() || this.#waiting.size === 0) return
    this.#scheduled = true
    // Waiting for others costs a lone call more than its own work: so not when there were none the last time. A
    // second one in the same turn is not alone, even if a driver that never waits has answered the first already.
    if (this.#alone && this.#open === 0 && !this.#sameTurn) nextTick(this.#flush)
    else setImmediate(this.#flush)
  }

  #flush = (): void => {
    this.#scheduled = false
    this.#dropExpired(uptime())
    while (!this.#isBusy() && this.#waiting.size > 0) this.#sendNext()
    if (this.#alone && this.#open === 0 && !this.#sameTurn) {
      this.#sameTurn = true
      setImmediate(this.#endTurn)
    }
  }

  #endTurn = (): void => {
    this.#sameTurn = false
  }

  /** A connection that is dead but open would otherwise be given batch after batch, all kept in memory. */
  #isBusy(): boolean {
    return this.#open >= (this.#lost < MAX_LOST ? IN_FLIGHT : 1)
  }

  #sendNext(): void {
    let isLost = false
    const ended = (isAnswered: boolean): void => {
      if (!isLost) this.#open--
      if (isAnswered) this.#lost = 0
      this.#schedule()
    }
    const lost = (): void => {
      isLost = true
      this.#open--
      this.#lost++
      this.#schedule()
    }
    this.#open++
    const entries = this.#take()
    this.#alone = entries.size === 1
    this.#send(entries, ended, lost)
  }

  /** The oldest entries come first. */
  #dropExpired(now: number): void {
    for (const entry of this.#waiting.values()) {
      if (entry.at + this.#timeout > now) return
      this.#drop(entry)
    }
  }

  #drop(entry: E): void {
    this.#waiting.delete(entry.key)
    this.#size -= entry.size
    this.#expire(entry)
  }

  #take(): Map<string, E> {
    if (this.#waiting.size <= MAX_ENTRIES && this.#size <= MAX_SIZE) {
      const all = this.#waiting
      this.#waiting = new Map()
      this.#size = 0
      return all
    }
    const some = new Map<string, E>()
    let size = 0
    for (const [key, entry] of this.#waiting) {
      size += entry.size
      if (some.size === MAX_ENTRIES || (some.size > 0 && size > MAX_SIZE)) break
      some.set(key, entry)
      this.#waiting.delete(key)
      this.#size -= entry.size
    }
    return some
  }
}
