import { nextTick, setImmediate, uptime } from './timers.ts'

/** What waits in a batch. There is at most one entry for each key. */
export interface Entry {
  readonly key: string
  /** Roughly how many characters the entry sends. */
  readonly size: number
  /** When the entry was added, by `uptime`. */
  readonly at: number
}

/**
 * Batches are 64 entries and four are in flight, so that the process and the database work in
 * parallel.
 */
const MAX_ENTRIES = 64
const MAX_IN_FLIGHT = 4
/** The most characters in one batch. A single larger entry is sent alone. */
const MAX_SIZE = 4 * 1024 * 1024
/**
 * After this many lost batches in a row, only one batch at a time probes whether the database
 * answers.
 */
const MAX_LOST = 8

/**
 * Sends a batch. Calls `ended` when the batch is answered, with or without an error. Calls `lost`
 * before that if nobody waits for the answer any more.
 */
export type Send<E> = (
  entries: Map<string, E>,
  ended: (isAnswered: boolean) => void,
  lost: () => void,
) => void

/**
 * Collects the calls of one verb and sends them together at the end of the event loop's turn in
 * which the first one came, so that calls of many sockets share a round trip. A lone call is sent
 * at once. While `MAX_IN_FLIGHT` batches are in flight, new entries wait. See
 * docs/decisions/0004-batches.md.
 */
export class Batch<E extends Entry> {
  #waiting = new Map<string, E>()
  #size = 0
  /** How many batches are in flight whose answer somebody waits for. */
  #inFlight = 0
  /** How many batches have been lost since the last answer. */
  #lost = 0
  #isScheduled = false
  /** Whether the last batch had a single entry. */
  #wasSingle = false
  /** Whether a batch has been sent and answered already in this turn of the event loop. */
  #hasFlushed = false
  #timeout: number
  #expire: (entry: E) => void
  #send: Send<E>

  /**
   * An entry that is not sent within `timeout` milliseconds goes to `expire` instead. Its caller
   * was told so, and the entry must not take effect later.
   */
  constructor(timeout: number, expire: (entry: E) => void, send: Send<E>) {
    this.#timeout = timeout
    this.#expire = expire
    this.#send = send
  }

  /** Returns the entry of this key that is not sent yet. */
  waiting(key: string): E | undefined {
    return this.#waiting.get(key)
  }

  /**
   * Adds an entry. An older entry of the same key that still waits expires, because its call has
   * given up.
   */
  add(entry: E): void {
    this.#dropExpired(entry.at)
    // The older entry is removed first: entries must stand in the order in which they expire.
    const older = this.#waiting.get(entry.key)
    if (older !== undefined) this.#drop(older)
    this.#waiting.set(entry.key, entry)
    this.#size += entry.size
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isBusy() || this.#waiting.size === 0) return
    this.#isScheduled = true
    // Waiting for other calls costs a lone call more than its own work, so a call does not wait if
    // the last one was alone. A second call in the same turn waits, because it is not alone.
    if (this.#wasSingle && this.#inFlight === 0 && !this.#hasFlushed) nextTick(this.#flush)
    else setImmediate(this.#flush)
  }

  #flush = (): void => {
    this.#isScheduled = false
    this.#dropExpired(uptime())
    while (!this.#isBusy() && this.#waiting.size > 0) this.#sendNext()
    // A driver that answers synchronously has emptied the batch already: further calls of this turn
    // wait.
    if (this.#wasSingle && this.#inFlight === 0 && !this.#hasFlushed) {
      this.#hasFlushed = true
      setImmediate(this.#endTurn)
    }
  }

  #endTurn = (): void => {
    this.#hasFlushed = false
  }

  /**
   * A connection that is dead but open would otherwise get batch after batch, all kept in memory.
   */
  #isBusy(): boolean {
    return this.#inFlight >= (this.#lost < MAX_LOST ? MAX_IN_FLIGHT : 1)
  }

  #sendNext(): void {
    let isLost = false
    const ended = (isAnswered: boolean): void => {
      if (!isLost) this.#inFlight--
      if (isAnswered) this.#lost = 0
      this.#schedule()
    }
    const lost = (): void => {
      isLost = true
      this.#inFlight--
      this.#lost++
      this.#schedule()
    }
    this.#inFlight++
    const entries = this.#take()
    this.#wasSingle = entries.size === 1
    this.#send(entries, ended, lost)
  }

  /**
   * Entries stand in the order in which they were added, so the first one that has not expired ends
   * the search.
   */
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
