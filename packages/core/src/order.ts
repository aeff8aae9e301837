import { SessionStoreError } from './errors.ts'

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
  turn: () => void
  /** None for a read, for which nobody waits. */
  period: Period | undefined
}

class Lane {
  writing = false
  touching = 0
  waiting: Waiting[] | undefined
  /** A loop is already at work on what waits: a turn that ends at once leaves the rest to it. */
  advancing = false
}

/** The writes and touches between two calls about the whole store, as far as they are not answered. */
class Period {
  open = 0
  #waiting: (() => void)[] = []

  leave(): void {
    if (--this.open > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  /** Fulfils when all are answered. */
  ended(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

/**
 * The order of the calls, within this process. For one key, writes go one after the other; a read or a touch
 * waits only for writes that were made before it; a write also waits for the touches before it, which could
 * otherwise undo a deadline that it shortens. Reads and touches never wait for each other.
 * A call about the whole store waits for the writes and touches made before it.
 *
 * A turn ends when its owner is answered, and every owner is answered within `operationTimeout`. A turn that
 * throws answers its owner with what it threw: nothing that an application's object does holds up another call.
 */
export class Order {
  #lanes = new Lanes()
  #maxWaiting: number
  #period = new Period()
  /** Earlier periods in which something is still open. */
  #earlier: Period[] = []
  /** While a call has the store for itself: what was called after it. */
  #held: (() => void)[] | undefined

  /** At most `maxWaiting` calls wait for one key: a busy session must not use up the queue of all. */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  /** Runs `turn` after the writes of this key made so far. Nobody waits for a read. */
  read(key: string, owner: Owner, turn: () => void): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.read(key, owner, turn))
      return
    }
    const lane = this.#lanes.get(key)
    if (lane === undefined || !mustWait(lane, false)) run(owner, turn)
    else this.#wait(lane, { exclusive: false, owner, turn, period: undefined })
  }

  touch(key: string, owner: Owner, turn: () => void): void {
    this.#enter(key, false, owner, turn)
  }

  write(key: string, owner: Owner, turn: () => void): void {
    this.#enter(key, true, owner, turn)
  }

  /**
   * Runs `work` on the whole store after all writes and touches made so far. `alone`: what is called from now on
   * waits for it.
   */
  async whole<T>(work: () => Promise<T>, alone = false): Promise<T> {
    await new Promise<void>((resolve) => {
      const begin = (): void => {
        if (alone) this.#held = []
        resolve(this.#settled())
      }
      if (this.#held === undefined) begin()
      else this.#held.push(begin)
    })
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

  #settled(): Promise<void> | undefined {
    if (this.#period.open > 0) {
      this.#earlier.push(this.#period)
      this.#period = new Period()
    }
    this.#earlier = this.#earlier.filter(({ open }) => open > 0)
    if (this.#earlier.length === 0) return undefined
    return Promise.all(this.#earlier.map((period) => period.ended())).then(() => {})
  }

  #enter(key: string, exclusive: boolean, owner: Owner, turn: () => void): void {
    if (this.#held !== undefined) {
      this.#held.push(() => this.#enter(key, exclusive, owner, turn))
      return
    }
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = new Lane()
      this.#lanes.set(key, lane)
    }
    const period = this.#period
    if (mustWait(lane, exclusive)) {
      if (this.#wait(lane, { exclusive, owner, turn, period })) period.open++
    } else {
      period.open++
      this.#run(key, lane, exclusive, owner, turn, period)
    }
  }

  #wait(lane: Lane, waiting: Waiting): boolean {
    lane.waiting ??= []
    if (lane.waiting.length >= this.#maxWaiting) {
      waiting.owner.finish(
        new SessionStoreError(
          'OVERLOADED',
          `more than ${this.#maxWaiting} calls are waiting for one session (a part of maxQueue)`,
        ),
      )
      return false
    }
    lane.waiting.push(waiting)
    return true
  }

  #run(
    key: string,
    lane: Lane,
    exclusive: boolean,
    owner: Owner,
    turn: () => void,
    period: Period | undefined,
  ): void {
    if (period === undefined) return run(owner, turn)
    if (owner.done) return period.leave()
    if (exclusive) lane.writing = true
    else lane.touching++
    owner.release = () => {
      if (exclusive) lane.writing = false
      else lane.touching--
      period.leave()
      this.#advance(key, lane)
    }
    run(owner, turn)
  }

  #advance(key: string, lane: Lane): void {
    if (lane.advancing) return
    const { waiting } = lane
    if (waiting !== undefined) {
      lane.advancing = true
      let next = 0
      for (; next < waiting.length; next++) {
        const { exclusive, owner, turn, period } = waiting[next]!
        if (isBlocked(lane, exclusive)) break
        this.#run(key, lane, exclusive, owner, turn, period)
      }
      waiting.splice(0, next)
      lane.advancing = false
      if (waiting.length > 0) return
    }
    if (!lane.writing && lane.touching === 0) this.#lanes.delete(key)
  }
}

function run(owner: Owner, turn: () => void): void {
  if (owner.done) return
  try {
    turn()
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
