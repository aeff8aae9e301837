/** What waits in a batch: at most one entry a key. */
export interface Entry {
  readonly key: string
  /** About how many characters it sends. */
  readonly size: number
  /** When it was added, as `performance.now()` has it. */
  readonly at: number
}

const MAX_ENTRIES = 256
const MAX_SIZE = 4 * 1024 * 1024

/**
 * Collects the calls of one verb and sends them together: at the end of the event loop's turn in which the
 * first one came, so that what many sockets asked in one turn shares a round trip. While `inFlight` batches
 * are on their way, what comes collects.
 */
export class Batch<E extends Entry> {
  #waiting = new Map<string, E>()
  #size = 0
  #sent = 0
  #scheduled = false
  #inFlight: number
  #timeout: number
  #expire: (entry: E) => void
  #send: (entries: Map<string, E>, done: () => void) => void

  /**
   * `send` calls `done` once, when the answer is there. An entry that was not sent within `timeout` milliseconds
   * goes to `expire` instead: whoever asked was told so, and must not find it done later.
   */
  constructor(
    inFlight: number,
    timeout: number,
    expire: (entry: E) => void,
    send: (entries: Map<string, E>, done: () => void) => void,
  ) {
    this.#inFlight = inFlight
    this.#timeout = timeout
    this.#expire = expire
    this.#send = send
  }

  /** The entry of this key that is not sent yet. */
  waiting(key: string): E | undefined {
    return this.#waiting.get(key)
  }

  /** Adds an entry; none of the same key may be waiting. */
  add(entry: E): void {
    this.#dropExpired(entry.at)
    this.#waiting.set(entry.key, entry)
    this.#size += entry.size
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled || this.#sent >= this.#inFlight || this.#waiting.size === 0) return
    this.#scheduled = true
    setImmediate(this.#flush)
  }

  #flush = (): void => {
    this.#scheduled = false
    this.#dropExpired(performance.now())
    while (this.#sent < this.#inFlight && this.#waiting.size > 0) {
      this.#sent++
      this.#send(this.#take(), this.#done)
    }
  }

  #done = (): void => {
    this.#sent--
    this.#schedule()
  }

  /** The oldest entries come first. */
  #dropExpired(now: number): void {
    for (const entry of this.#waiting.values()) {
      if (entry.at + this.#timeout > now) return
      this.#waiting.delete(entry.key)
      this.#size -= entry.size
      this.#expire(entry)
    }
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
