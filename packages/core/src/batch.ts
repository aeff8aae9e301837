/** What waits in a batch: at most one entry a key. */
export interface Entry {
  readonly key: string
  /** About how many characters it sends. */
  readonly size: number
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
  #send: (entries: Map<string, E>, done: () => void) => void

  /** `send` calls `done` once, when the answer is there. */
  constructor(inFlight: number, send: (entries: Map<string, E>, done: () => void) => void) {
    this.#inFlight = inFlight
    this.#send = send
  }

  /** The entry of this key that is not sent yet. */
  waiting(key: string): E | undefined {
    return this.#waiting.get(key)
  }

  /** Adds an entry; none of the same key may be waiting. */
  add(entry: E): void {
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
    while (this.#sent < this.#inFlight && this.#waiting.size > 0) {
      this.#sent++
      this.#send(this.#take(), this.#done)
    }
  }

  #done = (): void => {
    this.#sent--
    this.#schedule()
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
