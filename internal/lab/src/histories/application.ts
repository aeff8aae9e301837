import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Begun, Command, Ended, Message, Settings } from './protocol.ts'

/** A process of the application. It can be stopped, killed and started again. */
export class Application {
  readonly #settings: Settings
  readonly #begun: (call: Begun) => void
  readonly #ended: (call: Ended) => void
  #child: ChildProcess | undefined
  readonly #parts = new Map<string, () => void>()

  constructor(settings: Settings, onBegun: (call: Begun) => void, onEnded: (call: Ended) => void) {
    this.#settings = settings
    this.#begun = onBegun
    this.#ended = onEnded
  }

  async start(): Promise<void> {
    const child = fork(new URL('./worker.ts', import.meta.url), [JSON.stringify(this.#settings)], {
      execArgv: [],
    })
    this.#child = child
    child.on('message', (message: Message) => {
      if ('begun' in message) this.#begun(message.begun)
      else if ('ended' in message) this.#ended(message.ended)
      else if ('done' in message) this.#finish(message.done)
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
  play(command: { history: string; part: string; seed: number; calls: number }): Promise<void> {
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

  /** Kills the process. Its parts of histories end here. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    // `close` comes after the last message of the process.
    await once(child, 'exit')
    if (child.connected) await once(child, 'disconnect')
    for (const part of [...this.#parts.keys()]) this.#finish(part)
  }

  #finish(part: string): void {
    this.#parts.get(part)?.()
    this.#parts.delete(part)
  }

  #send(command: Command): void {
    if (this.#child?.connected) this.#child.send(command)
  }
}
