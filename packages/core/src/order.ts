/** Runs when its turn has come; calls `release` once, when the database has answered. */
export type Turn = (release: () => void) => void

interface Waiting {
  exclusive: boolean
  turn: Turn
}

interface Lane {
  writing: boolean
  touching: number
  waiting: Waiting[]
}

/**
 * The order of the calls for one key, within this process: writes go one after the other; a read or a touch
 * waits only for writes that were made before it; a write also waits for the touches before it, which could
 * otherwise undo a deadline that it shortens. Reads and touches never wait for each other.
 */
export class Order {
  #lanes = new Map<string, Lane>()

  /** Runs `turn` after the writes of this key made so far. Reads hold up nobody, so there is nothing to release. */
  read(key: string, turn: () => void): void {
    const lane = this.#lanes.get(key)
    if (lane === undefined || (!lane.writing && lane.waiting.length === 0)) turn()
    else
      lane.waiting.push({
        exclusive: false,
        turn: (release) => {
          turn()
          release()
        },
      })
  }

  touch(key: string, turn: Turn): void {
    this.#enter(key, { exclusive: false, turn })
  }

  write(key: string, turn: Turn): void {
    this.#enter(key, { exclusive: true, turn })
  }

  #enter(key: string, entry: Waiting): void {
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      lane = { writing: false, touching: 0, waiting: [] }
      this.#lanes.set(key, lane)
    }
    lane.waiting.push(entry)
    this.#advance(key, lane)
  }

  #advance(key: string, lane: Lane): void {
    for (;;) {
      const [next] = lane.waiting
      if (next === undefined) {
        if (!lane.writing && lane.touching === 0 && this.#lanes.get(key) === lane) this.#lanes.delete(key)
        return
      }
      if (lane.writing || (next.exclusive && lane.touching > 0)) return
      lane.waiting.shift()
      if (next.exclusive) lane.writing = true
      else lane.touching++
      let released = false
      next.turn(() => {
        if (released) return
        released = true
        if (next.exclusive) lane.writing = false
        else lane.touching--
        this.#advance(key, lane)
      })
    }
  }
}
