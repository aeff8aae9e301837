import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Begun, Command, Ended, Message, Settings } from './protocol.ts'

/** A process of the application. It can be stopped, killed and started again. */
export class Application {
  readonly #settings: Settings
  readonly #begun: (call: Begun) => void
  readonly #ended: (call: Ended) => void
  readonly #killed: () => void
  #child: ChildProcess | undefined
  readonly #parts = new Map<string, (end: 'done' | 'killed') => void>()
  #starting: Promise<void> = Promise.resolve()

  constructor(
    settings: Settings,
    on: { begun: (call: Begun) => void; ended: (call: Ended) => void; killed: () => void },
  ) {
    this.#settings = settings
    this.#begun = on.begun
    this.#ended = on.ended
    this.#killed = on.killed
  }

  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const child = fork(new URL('./worker.ts', import.meta.url), [JSON.stringify(this.#settings)], {
      execArgv: [],
    })
    this.#child = child
    child.on('message', (message: Message) => {
      if ('begun' in message) this.#begun(message.begun)
      else if ('ended' in message) this.#ended(message.ended)
      else if ('done' in message) this.#finish(message.done, 'done')
    })
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
    ])
  }

  setClock(ahead: number): void {
    this.#send({ clock: ahead })
  }

  /** Plays a part of a history. Resolves when all its calls are answered, or the process is killed. */
  async play(command: {
    history: string
    part: string
    seed: number
    calls: number
  }): Promise<'done' | 'killed'> {
    await this.#starting
    return new Promise((resolve) => {
      this.#parts.set(command.part, resolve)
      this.#send({ play: command })
    })
  }

  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Kills the process. Its parts of histories end here. `then` starts it again. */
  async kill(then?: () => Promise<void>): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    // `close` comes after the last message of the process.
    await once(child, 'exit')
    if (child.connected) await once(child, 'disconnect')
    this.#killed()
    const starting = then?.()
    for (const part of [...this.#parts.keys()]) this.#finish(part, 'killed')
    await starting
  }

  #finish(part: string, end: 'done' | 'killed'): void {
    const tell = this.#parts.get(part)
    this.#parts.delete(part)
    tell?.(end)
  }

  #send(command: Command): void {
    if (this.#child?.connected) this.#child.send(command)
  }
}
