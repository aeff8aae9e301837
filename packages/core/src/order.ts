/** Runs when its turn has come; calls `release` once, when the database has answered. */
export type Turn = (release: () => void) => void

interface Waiting {
  exclusive: boolean
  turn: Turn
}

class Lane {
  writing = false
  touching = 0
  waiting: Waiting[] | undefined
  /** A loop is already at work on what waits: a turn that ends at once leaves the rest to it. */
  advancing = false
}

/**
 * The order of the calls for one key, within this process: writes go one after the other; a read or a touch
 * waits only for writes that were made before it; a write also waits for the touches before it, which could
 * otherwise undo a deadline that it shortens. Reads and touches never wait for each other.
 */
export class Order {
  #lanes = new Lanes()

  /** Runs `turn` after the writes of this key made so far. Nobody waits for a read. */
  read(key: string, turn: () => void): void {
    const lane = this.#lanes.get(key)
    if (lane === undefined || !mustWait(lane, false)) turn()
    else
      this.#wait(lane, false, (release) => {
        turn()
        release()
      })
  }

  touch(key: string, turn: Turn): void {
    this.#enter(key, false, turn)
  }

  write(key: string, turn: Turn): void {
    this.#enter(key, true, turn)
  }

  #enter(key: string, exclusive: boolean, turn: Turn): void {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = new Lane()
      this.#lanes.set(key, lane)
    }
    if (mustWait(lane, exclusive)) this.#wait(lane, exclusive, turn)
    else this.#run(key, lane, exclusive, turn)
  }

  #wait(lane: Lane, exclusive: boolean, turn: Turn): void {
    lane.waiting ??= []
    lane.waiting.push({ exclusive, turn })
  }

  #run(key: string, lane: Lane, exclusive: boolean, turn: Turn): void {
    if (exclusive) lane.writing = true
    else lane.touching++
    turn(() => {
      if (exclusive) lane.writing = false
      else lane.touching--
      this.#advance(key, lane)
    })
  }

  #advance(key: string, lane: Lane): void {
    if (lane.advancing) return
    const { waiting } = lane
    if (waiting !== undefined) {
      lane.advancing = true
      let next = 0
      for (; next < waiting.length; next++) {
        const { exclusive, turn } = waiting[next]!
        if (isBlocked(lane, exclusive)) break
        this.#run(key, lane, exclusive, turn)
      }
      waiting.splice(0, next)
      lane.advancing = false
      if (waiting.length > 0) return
    }
    if (!lane.writing && lane.touching === 0) this.#lanes.delete(key)
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
