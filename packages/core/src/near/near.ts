import { LRUCache } from 'lru-cache'
import { type Done, deliver } from '../dispatch/settle.ts'
import { uptime } from '../dispatch/timers.ts'
import type { Row, Touch, Write } from '../driver.ts'
import type { Keys } from '../encoding/key.ts'
import { type EndedEvent, events } from '../events.ts'
import type { Settings } from '../options.ts'
import { withinAbsolute } from '../session/deadline.ts'
import { isRecent, Known } from './known.ts'

/**
 * What an entry takes beside its text, in bytes: its objects, its key and its places in the tables.
 */
const OVERHEAD = 600

/** A call of the database that has begun and whose answer says something about one session. */
class Pending {
  readonly time: number
  readonly uptime: number = uptime()
  /** Whether something newer is known, so that the answer must not be remembered. */
  isOver = false
  /** Another call about the same session, which began earlier. */
  older: Pending | undefined = undefined

  constructor(time: number) {
    this.time = time
  }
}

/** A read that is under way, for everybody who may share it. */
class Reading extends Pending {
  readonly waiting: Done<Known>[] = []
  /** Whether it is to be remembered where there is no session. */
  remembersAbsence = false
}

/** A save, logout or touch that is under way. */
export class Change extends Pending {}

/**
 * What a process knows of sessions: for the option `freshness` of the store and for tokens. Each
 * piece of knowledge is as old as the moment at which the database was asked. Whatever this process
 * has done to a session since then ends it. See docs/decisions/0015-near-cache.md.
 */
export class Near {
  /** Whether anything is remembered. */
  isOn = false
  /** How old the knowledge may be where a lookup does not say, in milliseconds. */
  readonly freshness: number
  readonly #settings: Settings
  readonly #keys: Keys
  readonly #driver: string
  readonly #known: LRUCache<string, Known>
  /** The newest call under way for each session. */
  readonly #pending = new Map<string, Pending>()

  constructor(settings: Settings, keys: Keys, driver: string) {
    this.freshness = settings.freshness
    this.#settings = settings
    this.#keys = keys
    this.#driver = driver
    this.#known = new LRUCache({
      maxSize: settings.cacheBytes,
      sizeCalculation: ({ data }) => OVERHEAD + (data === null ? 0 : Buffer.byteLength(data)),
      dispose: end,
    })
    if (this.freshness > 0) this.#turnOn()
  }

  /** Remembers from now on what is read and written: from the first lookup that may share. */
  #turnOn(): void {
    if (this.isOn) return
    this.isOn = true
    events.ended.subscribe(this.#hearEnd)
  }

  close(): void {
    events.ended.unsubscribe(this.#hearEnd)
    this.#known.clear()
  }

  /** How many bytes are remembered, as `cacheBytes` counts them. */
  get size(): number {
    return this.#known.calculatedSize
  }

  /** Returns what is known of the session, however old it is. */
  recall(key: string): Known | undefined {
    return this.#known.get(this.#keys.handle(key))
  }

  /** Returns what is known of the session, if it is not older than `freshness` milliseconds. */
  find(key: string, freshness: number): Known | undefined {
    const known = this.#known.get(this.#keys.handle(key))
    return known !== undefined && isRecent(known, freshness, this.#settings.now()) ? known : undefined
  }

  /**
   * Shares a read that began at most `freshness` milliseconds ago, or asks the database by `send`.
   */
  read(
    key: string,
    freshness: number,
    remembersAbsence: boolean,
    send: (answer: Done<Row>) => void,
    done: Done<Known>,
  ): void {
    this.#turnOn()
    const handle = this.#keys.handle(key)
    const now = this.#settings.now()
    for (let one = this.#pending.get(handle); one !== undefined; one = one.older)
      if (one instanceof Reading && !one.isOver && isRecent(one, freshness, now)) {
        one.remembersAbsence ||= remembersAbsence
        one.waiting.push(done)
        return
      }
    const reading = new Reading(now)
    reading.remembersAbsence = remembersAbsence
    reading.waiting.push(done)
    this.#add(handle, reading)
    send((error, row) => {
      this.#remove(handle, reading)
      const known = error == null ? this.#toKnown(key, row, reading) : undefined
      if (known !== undefined) {
        if (reading.isOver) known.isOver = true
        else if (known.data !== null || reading.remembersAbsence) this.#known.set(handle, known)
      }
      for (const waiting of reading.waiting) deliver(waiting, error, known)
    })
  }

  /** Notes that a save, logout or touch of this process is about to be sent. */
  begin(key: string): Change {
    const change = new Change(this.#settings.now())
    this.#add(this.#keys.handle(key), change)
    return change
  }

  /** Takes the answer to a write. Where it landed, the session is known without a read. */
  written(write: Write, change: Change, hasLanded: boolean): void {
    const handle = this.#keys.handle(write.key)
    const before = this.#known.peek(handle)
    this.#remove(handle, change)
    this.#endPending(handle)
    if (!hasLanded || change.isOver || write.data === null) this.#known.delete(handle)
    // A read that began before the answer has found the row of this write.
    else if (before?.tag === write.tag) return
    else if (write.extend !== true) this.#known.set(handle, this.#toKnown(write.key, write, change))
    // The database keeps the later deadline, which is known as of the read before.
    else if (before !== undefined && before.data !== null && before.tag === write.expect) {
      const known = this.#toKnown(write.key, write, before)
      known.expiresAt = Math.max(known.expiresAt, before.expiresAt)
      this.#known.set(handle, known)
    } else this.#known.delete(handle)
  }

  /** Takes the answer to a touch, which the driver was told to make at the time `now`. */
  touched(touch: Touch, change: Change, now: number, isAnswered: boolean): void {
    const handle = this.#keys.handle(touch.key)
    this.#remove(handle, change)
    // What a touch without an answer did is known as late as what another process did.
    if (!isAnswered) return
    this.#endPending(handle)
    const known = this.#known.peek(handle)
    if (known === undefined || known.data === null) return
    if ((touch.tag ?? known.tag) !== known.tag || known.expiresAt <= now) this.#known.delete(handle)
    // Of touches at the same time nobody knows which came last, so the earlier deadline counts.
    else known.expiresAt = change.isOver ? Math.min(known.expiresAt, touch.expiresAt) : touch.expiresAt
  }

  /** Forgets every session. */
  forgetAll(): void {
    this.#known.clear()
    for (const handle of this.#pending.keys()) this.#endPending(handle)
  }

  #forget(handle: string): void {
    this.#known.delete(handle)
    this.#endPending(handle)
  }

  /** Another store of this process may have ended the session. */
  readonly #hearEnd = (message: unknown): void => {
    const { driver, handle } = message as EndedEvent
    if (driver !== this.#driver) return
    if (handle === undefined) this.forgetAll()
    else this.#forget(handle)
  }

  #toKnown(key: string, row: Row | undefined, { time, uptime }: Pick<Known, 'time' | 'uptime'>): Known {
    const { absoluteTimeout } = this.#settings
    const deadline = row === undefined ? 0 : withinAbsolute(row.expiresAt, row.createdAt, absoluteTimeout)
    return new Known(key, row, deadline, time, uptime)
  }

  #add(handle: string, pending: Pending): void {
    pending.older = this.#pending.get(handle)
    this.#pending.set(handle, pending)
  }

  #remove(handle: string, pending: Pending): void {
    const newest = this.#pending.get(handle)
    if (newest === pending) {
      if (pending.older === undefined) this.#pending.delete(handle)
      else this.#pending.set(handle, pending.older)
      return
    }
    for (let one = newest; one !== undefined; one = one.older)
      if (one.older === pending) one.older = pending.older
  }

  /** No answer to a call that has begun by now is remembered. */
  #endPending(handle: string): void {
    for (let one = this.#pending.get(handle); one !== undefined; one = one.older) one.isOver = true
  }
}

const end = (known: Known): void => {
  known.isOver = true
}
