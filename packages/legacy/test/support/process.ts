import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { MigrationReport } from '../../src/index.ts'
import type { Place } from './places.ts'

/** A command to a process with the old package: what a request of its application does. */
export interface Command {
  call: 'signIn' | 'load' | 'save' | 'touch' | 'destroy'
  id: string
}

export interface Question {
  number: number
  command: Command
}

export interface Answer {
  number: number
  value?: unknown
  error?: string
}

const start = (place: Place, job: 'old' | 'migrate'): ChildProcess =>
  fork(new URL('./worker.ts', import.meta.url), [JSON.stringify(place), job], { execArgv: [] })

/** A process that still runs with the old package. */
export class OldProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #number = 0

  static async start(place: Place): Promise<OldProcess> {
    const child = start(place, 'old')
    const failed = once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`the process ended with ${code}`)),
    )
    await Promise.race([once(child, 'message'), failed])
    failed.catch(() => {})
    return new OldProcess(child)
  }

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (answer: Answer) => {
      this.#waiting.get(answer.number)?.(answer)
      this.#waiting.delete(answer.number)
    })
  }

  /** Resolves when the old package has called back. */
  async send(call: Command['call'], id: string): Promise<unknown> {
    const number = this.#number++
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(number, resolve)
      this.#child.send({ number, command: { call, id } } satisfies Question)
    })
    if (answer.error) throw new Error(answer.error)
    return answer.value
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}

/**
 * Migrates in another process, and kills it (SIGKILL) as soon as it has seen `killAfter` rows.
 * Resolves with the report, or with `undefined` where the process was killed.
 */
export async function migrateInProcess(
  place: Place,
  killAfter?: number,
): Promise<MigrationReport | undefined> {
  const child = start(place, 'migrate')
  let report: MigrationReport | undefined
  child.on('message', (message: MigrationReport & { report?: MigrationReport }) => {
    if (message.report) report = message.report
    else if (killAfter !== undefined && message.moved + message.present >= killAfter) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'exit')
  if (signal === 'SIGKILL') return undefined
  if (report === undefined) throw new Error(`the migration ended with ${code}`)
  return report
}
