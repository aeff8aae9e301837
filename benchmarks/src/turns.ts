/** Who has a turn may measure. Passed on in the order in which it was asked for, it goes round. */
export class Turns {
  #last: Promise<void> = Promise.resolve()

  /** Resolves when all that asked before have ended theirs, with what ends this one. */
  async take(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = promise
    await before
    return resolve
  }
}

/** A place in the round for one subject. */
export class Turn {
  readonly #turns: Turns
  #end: () => void = () => {}
  #isOver = false

  constructor(turns: Turns) {
    this.#turns = turns
  }

  /** Lets the others have theirs, if it is this one's; resolves when it is. */
  async pass(): Promise<void> {
    this.#end()
    this.#end = await this.#turns.take()
    if (this.#isOver) this.#end()
  }

  /** For good. */
  over(): void {
    this.#isOver = true
    this.#end()
  }
}
