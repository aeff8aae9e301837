import { type ChildProcess, fork } from 'node:child_process'

/** A process that a job starts and asks. It ends with the process of the job. */
export class Helper {
  readonly #process: ChildProcess

  /** @param file the URL of the program */
  constructor(file: URL) {
    this.#process = fork(file, { serialization: 'advanced' })
  }

  /**
   * Sends a message and returns the answer. Only one message may be unanswered at a time.
   * Rejects with the reason if the process reports one, or ends without an answer.
   */
  ask<Answer>(message: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void =>
        reject(new Error(`a process of the fleet ended with ${code}`))
      this.#process.once('exit', ended)
      this.#process.once('message', (answer: Answered<Answer>) => {
        this.#process.off('exit', ended)
        if (answer.failed === undefined) resolve(answer.value)
        else reject(new Error(answer.failed))
      })
      this.#process.send(message as object)
    })
  }

  /** Lets the process end. */
  end(): void {
    if (this.#process.connected) this.#process.disconnect()
  }
}

type Answered<Answer> = { value: Answer; failed?: undefined } | { failed: string }

/** Answers the messages of the process of the job with `work`, one after the other. */
export function answerMessages<Asked>(work: (asked: Asked) => Promise<unknown>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', (asked: Asked) => {
    work(asked).then(
      (value) => process.send!({ value }),
      (error) => process.send!({ failed: String(error) }),
    )
  })
}

/** Returns milliseconds of a clock that all processes of the machine share. */
export const sharedClock = (): number => Number(process.hrtime.bigint() / 1000n) / 1000
