import { type ChildProcess, fork } from 'node:child_process'
import type { DatabaseId } from '@session-stores/testbed/databases'
import type { Answer, Command, Question } from './protocol.ts'

/** A child process that makes calls on command. */
export class Caller {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #number = 0
  /** The duration of the longest call, in milliseconds. */
  longest = 0
  calls = 0
  readonly errors: Record<string, number> = {}

  static async start(database: DatabaseId, place: string, operationTimeout: number): Promise<Caller> {
    const file = new URL('./worker.ts', import.meta.url)
    const child = fork(file, [database, place, `${operationTimeout}`], { execArgv: [] })
    await new Promise((resolve, reject) => {
      child.once('message', resolve)
      child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)))
    })
    return new Caller(child)
  }

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.number)?.(answer)
      this.#waiting.delete(answer.number)
    })
  }

  /**
   * Makes one call. Resolves even if the call fails; the answer of an acknowledged call has no
   * `error`.
   */
  async call(command: Command): Promise<Answer> {
    const number = this.#number++
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(number, resolve)
      this.#child.send({ number, command } satisfies Question)
    })
    this.calls++
    // `revokeUser` makes many database calls, each of which has its own time limit.
    if (command.call !== 'revokeUser') this.longest = Math.max(this.longest, answer.duration)
    if (answer.error) this.errors[answer.error] = (this.errors[answer.error] ?? 0) + 1
    return answer
  }

  stop(): void {
    this.#child.disconnect()
  }
}
