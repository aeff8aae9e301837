import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Begun, Command, Ended, Line, Message, Pair, Part, Settings } from './protocol.ts'

/** A process of the application. It can be stopped, killed and started again. */
export class Application {
  readonly #settings: Settings
  readonly #worker: URL
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'histories-'))
  /** How much of the file of the calls has been read, in characters. */
  #read = 0
  readonly #begun: (call: Begun) => void
  readonly #ended: (call: Ended) => void
  readonly #killed: () => void
  readonly #handed: (pair: Pair) => void
  readonly #isOlder: boolean
  #child: ChildProcess | undefined
  readonly #parts = new Map<string, (end: 'done' | 'killed' | Error) => void>()
  #isKilled = false
  #starting: Promise<void> = Promise.resolve()

  constructor(
    settings: Omit<Settings, 'calls'>,
    on: {
      begun: (call: Begun) => void
      ended: (call: Ended) => void
      killed: () => void
      /** The process got tokens, which the others may be asked to accept. */
      handed: (pair: Pair) => void
    },
    checkout?: string,
  ) {
    this.#isOlder = checkout !== undefined
    this.#worker = checkout
      ? pathToFileURL(join(checkout, 'internal/lab/src/histories/worker.ts'))
      : new URL('./worker.ts', import.meta.url)
    this.#settings = { ...settings, calls: join(this.#folder, 'calls') }
    this.#begun = on.begun
    this.#ended = on.ended
    this.#killed = on.killed
    this.#handed = on.handed
  }

  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const child = fork(this.#worker, [JSON.stringify(this.#settings)], {
      execArgv: [],
    })
    this.#child = child
    this.#isKilled = false
    child.once('exit', (code, signal) => {
      if (this.#isKilled) return
      const error = new Error(`a process of the application ended by itself (${signal ?? code})`)
      for (const part of [...this.#parts.keys()]) this.#finish(part, error)
    })
    child.on('message', (message: Message) => {
      if ('done' in message) this.#finish(message.done, 'done')
      else if ('handed' in message) this.#handed(message.handed)
    })
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
    ])
  }

  /** Gives tokens to the process. An older version of the program does not know them. */
  take(pair: Pair): void {
    if (!this.#isOlder) this.#send({ take: pair })
  }

  setClock(ahead: number): void {
    this.#send({ clock: ahead })
  }

  /** Plays a part of a history. Resolves when all its calls are answered, or the process is killed. */
  async play(command: Part): Promise<'done' | 'killed'> {
    await this.#starting
    return new Promise((resolve, reject) => {
      this.#parts.set(command.part, (end) => (end instanceof Error ? reject(end) : resolve(end)))
      this.#send({ play: command })
    })
  }

  /** Reads which calls began and ended since the last time. */
  readCalls(): void {
    const text = readFileSync(this.#settings.calls, 'utf8').slice(this.#read)
    this.#read += text.length
    for (const line of text.split('\n')) {
      if (line === '') continue
      const read = JSON.parse(line) as Line
      if ('begun' in read) this.#begun(read.begun)
      else this.#ended(read.ended)
    }
  }

  /** Ends the process, and removes its file. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true })
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
    this.#isKilled = true
    child.kill('SIGKILL')
    await once(child, 'exit')
    this.readCalls()
    this.#killed()
    const starting = then?.()
    for (const part of [...this.#parts.keys()]) this.#finish(part, 'killed')
    await starting
  }

  #finish(part: string, end: 'done' | 'killed' | Error): void {
    const tell = this.#parts.get(part)
    this.#parts.delete(part)
    tell?.(end)
  }

  #send(command: Command): void {
    // The process may have been killed a moment ago.
    if (this.#child?.connected) this.#child.send(command, () => {})
  }
}
