/**
 * Gives turns, so that only one subject measures at a time. Turns are given in the order in which
 * they were requested. The first turn starts after all subjects have requested one: they prepare in
 * parallel, and nobody measures in the meantime.
 */
export class Turns {
  readonly #start = Promise.withResolvers<void>()
  #last: Promise<void> = this.#start.promise
  #absent: number

  constructor(subjects: number) {
    this.#absent = subjects
  }

  /** Must be called once for each subject: when it requests its first turn or never will. */
  present(): void {
    this.#absent--
    if (this.#absent === 0) this.#start.resolve()
  }

  /** Waits until all earlier turns have ended. Resolves with a function that ends this turn. */
  async take(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = promise
    await before
    return resolve
  }
}

/** The turns of one subject. */
export class Turn {
  readonly #turns: Turns
  #end: () => void = () => {}
  #isPresent = false
  #isOver = false

  constructor(turns: Turns) {
    this.#turns = turns
  }

  /** Ends the current turn, if any, and waits for the next one. */
  async pass(): Promise<void> {
    this.#end()
    this.#appear()
    this.#end = await this.#turns.take()
    if (this.#isOver) this.#end()
  }

  /** Ends the current turn and gives up all later ones. */
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
