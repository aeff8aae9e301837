/**
 * Who has a turn may measure. Passed on in the order in which it was asked for, it goes round; the first one is given
 * when all have asked: they get ready side by side, and nobody measures meanwhile.
 */
export class Turns {
  readonly #start = Promise.withResolvers<void>()
  #last: Promise<void> = this.#start.promise
  #absent: number

  constructor(subjects: number) {
    this.#absent = subjects
  }

  /** Called once for each subject: it asks for its first turn, or never will. */
  present(): void {
    this.#absent--
    if (this.#absent === 0) this.#start.resolve()
  }

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
  #isPresent = false
  #isOver = false

  constructor(turns: Turns) {
    this.#turns = turns
  }

  /** Lets the others have theirs, if it is this one's; resolves when it is. */
  async pass(): Promise<void> {
    this.#end()
    this.#appear()
    this.#end = await this.#turns.take()
    if (this.#isOver) this.#end()
  }

  /** For good. */
  over(): void {
    this.#isOver = true
    this.#appear()
    this.#end()
  }

  #appear(): void {
    if (!this.#isPresent) this.#turns.present()
    this.#isPresent = true
  }
}
