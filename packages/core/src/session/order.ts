import type { Row } from '../driver.ts'
import { SessionStoreError } from '../errors.ts'

/** Whose turn it is: a call of the application, or a step of one. */
export interface Owner {
  /** It was answered; a turn that has not begun is dropped. */
  readonly done: boolean
  /** Ends the turn that it has. */
  release: (() => void) | undefined
  /** Answers it, which ends its turn. */
  finish(error: unknown): void
}

interface Waiting {
  exclusive: boolean
  owner: Owner
  turn: (lane: Lane) => void
  /** Nobody waits for it. */
  isRead: boolean
}

/** The calls of one key, while there are any. */
export class Lane {
  /** What the turn before wrote, as far as this process knows: the next one may try without looking. */
  stored: Pick<Row, 'tag' | 'createdAt' | 'expiresAt'> | undefined = undefined
  writing = false
  touching = 0
  waiting: Waiting[] | undefined
  /** A loop is already at work on what waits: a turn that ends at once leaves the rest to it. */
  advancing = false
}

/** The calls of the application that are not answered yet. */
export interface OpenCalls {
  /** Fulfils when all calls that are open now are answered; `undefined` where there are none. */
  answered(): Promise<void> | undefined
}

/**
 * The order of the calls, within this process. For one key, writes go one after the other; a read or a touch
 * waits only for writes that were made before it; a write also waits for the touches before it, which could
 * otherwise undo a deadline that it shortens. Reads and touches never wait for each other.
 * A call about the whole store waits for all calls made before it.
 *
 * A turn ends when its owner is answered, and every owner is answered within `operationTimeout`. A turn that
 * throws answers its owner with what it threw: nothing that an application's object does holds up another call.
 */
export class Order {
  #lanes = new Lanes()
  #calls: OpenCalls
  #maxWaiting: number
  /** While a call has the store for itself: what was called after it. */
  #held: (() => void)[] | undefined

  /** At most `maxWaiting` calls wait for one key: a busy session must not use up the queue of all. */
  constructor(calls: OpenCalls, maxWaiting: number) {
    this.#calls = calls
    this.#maxWaiting = maxWaiting
  }

  /** Runs `turn` after the writes of this key made so far. Nobody waits for a read. */
  read(key: string, owner: Owner, turn: () => void): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.read(key, owner, turn))
      return
    }
    const lane = this.#lanes.get(key)
    if (lane === undefined || !mustWait(lane, false)) run(owner, undefined, turn)
    else this.#wait(lane, { exclusive: false, owner, turn, isRead: true })
  }

  touch(key: string, owner: Owner, turn: () => void): void {
    this.#enter(key, false, owner, turn)
  }

  write(key: string, owner: Owner, turn: (lane: Lane) => void): void {
    this.#enter(key, true, owner, turn)
  }

  /** Runs `work` on the whole store after all calls made so far. `alone`: what is called from now on waits for it. */
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

  /** Makes the calls that were held, up to the next one that wants the store for itself. */
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
    // V8 allocates a function as old that is written straight to a property, with all that it keeps alive.
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
 * The lanes by key, in two Maps that take turns. Each table that a Map outgrows keeps the next one alive until V8
 * collects all its old space: in one Map that lives long, what is long answered grew the heap by 100 MB a second.
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
