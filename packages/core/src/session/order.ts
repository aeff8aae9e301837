import type { Calls, Owner } from '../dispatch/call.ts'
import type { Row } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'

/** A turn that waits. */
interface Waiting {
  /** Whether the turn writes, and so runs alone. */
  exclusive: boolean
  owner: Owner
  turn: (lane: Lane) => void
  /** Whether the turn reads. No later turn waits for a read. */
  isRead: boolean
}

/** The turns of one key, while there are any. */
export class Lane {
  /** What the previous turn wrote. The next one may write without reading first. */
  stored: Pick<Row, 'tag' | 'createdAt' | 'expiresAt'> | undefined = undefined
  writing = false
  touching = 0
  waiting: Waiting[] | undefined
  /**
   * Whether a loop already works on the waiting turns. A turn that ends at once leaves the rest to
   * it.
   */
  advancing = false
}

/**
 * Keeps the calls of this process in order. For one key, writes run one after the other. A read or
 * a touch waits only for the writes that were called before it. A write also waits for the touches
 * before it, which could otherwise undo a deadline that the write shortens. Reads and touches never
 * wait for each other. A call about the whole store waits for all calls that were made before it.
 *
 * A turn ends when its owner is answered, and every owner is answered within `operationTimeout`. A
 * turn that throws answers its owner with what it threw, so that an object of the application can
 * never hold up another call.
 */
export class Order {
  #lanes = new Lanes()
  #calls: Pick<Calls, 'answered'>
  #maxWaiting: number
  /** The calls that wait while one call has the store to itself. */
  #held: (() => void)[] | undefined

  /**
   * At most `maxWaiting` calls wait for one key, so that a busy session cannot use up the queue of
   * all.
   */
  constructor(calls: Pick<Calls, 'answered'>, maxWaiting: number) {
    this.#calls = calls
    this.#maxWaiting = maxWaiting
  }

  /** Runs `turn` after the writes of this key that were called before it. */
  read(key: string, owner: Owner, turn: () => void): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.read(key, owner, turn))
      return
    }
    const lane = this.#lanes.get(key)
    if (lane === undefined || !mustWait(lane, false)) run(owner, undefined, turn)
    else this.#wait(lane, { exclusive: false, owner, turn, isRead: true })
  }

  /**
   * Runs `turn` after the writes of this key that were called before it. Later writes wait for
   * `turn`.
   */
  touch(key: string, owner: Owner, turn: () => void): void {
    this.#enter(key, false, owner, turn)
  }

  /** Runs `turn` alone, after the writes and touches of this key that were called before it. */
  write(key: string, owner: Owner, turn: (lane: Lane) => void): void {
    this.#enter(key, true, owner, turn)
  }

  /**
   * Runs `work` on the whole store, after all calls that were made before it. With `alone`, the
   * calls that are made from now on wait for `work`.
   */
  async whole<T>(work: () => Promise<T>, alone = false): Promise<T> {
    const before = this.#calls.answered()
    await new Promise<void>((resolve) => {
      const begin = (): void => {
        if (alone) this.#held = []
        resolve()
      }
      if (this.#held === undefined) begin()
      else this.#held.push(begin)
    })
    await before
    try {
      return await work()
    } finally {
      if (alone) this.#letGo()
    }
  }

  /** Makes the calls that were held, up to the next one that needs the store to itself. */
  #letGo(): void {
    const held = this.#held!
    this.#held = undefined
    while (this.#held === undefined) {
      const next = held.shift()
      if (next === undefined) return
      next()
    }
    ;(this.#held as (() => void)[]).push(...held)
  }

  #enter(key: string, exclusive: boolean, owner: Owner, turn: (lane: Lane) => void): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.#enter(key, exclusive, owner, turn))
      return
    }
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = new Lane()
      this.#lanes.set(key, lane)
    }
    if (mustWait(lane, exclusive)) this.#wait(lane, { exclusive, owner, turn, isRead: false })
    else this.#run(key, lane, exclusive, owner, turn)
  }

  #wait(lane: Lane, waiting: Waiting): void {
    lane.waiting ??= []
    if (lane.waiting.length >= this.#maxWaiting) {
      waiting.owner.finish(
        new SessionStoreError(
          'OVERLOADED',
          `more than ${this.#maxWaiting} calls are waiting for one session (a part of maxQueue)`,
        ),
      )
      return
    }
    lane.waiting.push(waiting)
  }

  #run(key: string, lane: Lane, exclusive: boolean, owner: Owner, turn: (lane: Lane) => void): void {
    if (owner.done) return
    if (exclusive) lane.writing = true
    else lane.touching++
    // V8 would allocate a function that is assigned straight to a property in the old space,
    // together with everything that it keeps alive.
    const release = (): void => {
      if (exclusive) lane.writing = false
      else lane.touching--
      this.#advance(key, lane)
    }
    owner.release = release
    run(owner, lane, turn)
  }

  #advance(key: string, lane: Lane): void {
    if (lane.advancing) return
    const { waiting } = lane
    if (waiting !== undefined) {
      lane.advancing = true
      let next = 0
      for (; next < waiting.length; next++) {
        const { exclusive, owner, turn, isRead } = waiting[next]!
        if (isBlocked(lane, exclusive)) break
        if (isRead) run(owner, lane, turn)
        else this.#run(key, lane, exclusive, owner, turn)
      }
      waiting.splice(0, next)
      lane.advancing = false
      if (waiting.length > 0) return
    }
    if (!lane.writing && lane.touching === 0) this.#lanes.delete(key)
  }
}

function run<L extends Lane | undefined>(owner: Owner, lane: L, turn: (lane: L) => void): void {
  if (owner.done) return
  try {
    turn(lane)
  } catch (error) {
    owner.finish(error)
  }
}

const isBlocked = (lane: Lane, exclusive: boolean): boolean =>
  lane.writing || (exclusive && lane.touching > 0)

const mustWait = (lane: Lane, exclusive: boolean): boolean =>
  isBlocked(lane, exclusive) || (lane.waiting !== undefined && lane.waiting.length > 0)

/**
 * The lanes by key, in two Maps that take turns. Each table that a Map outgrows keeps the next one
 * alive until V8 collects its whole old space. In a single Map that lives long, finished lanes grew
 * the heap by 100 MB a second.
 */
class Lanes {
  #young = new Map<string, Lane>()
  #old = new Map<string, Lane>()
  #added = 0

  get(key: string): Lane | undefined {
    return this.#young.get(key) ?? (this.#old.size > 0 ? this.#old.get(key) : undefined)
  }

  set(key: string, lane: Lane): void {
    if (++this.#added > 256 && this.#old.size === 0) {
      this.#old = this.#young
      this.#young = new Map()
      this.#added = 0
    }
    this.#young.set(key, lane)
  }

  delete(key: string): void {
    if (!this.#young.delete(key)) this.#old.delete(key)
  }
}
