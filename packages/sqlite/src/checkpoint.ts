import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'

/** How many pages the log takes before the thread is told to copy them into the database. */
const EVERY = 2000
/** How many the log may hold before a commit copies them itself: SQLite's default, and while the thread does it. */
const [ALONE, BACKSTOP] = [1000, 16_000]

const thread = `
const { parentPort, workerData } = require('node:worker_threads')
const database = new (require(workerData.module))(workerData.file, { timeout: 0, fileMustExist: true })
database.exec('PRAGMA synchronous = NORMAL')
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
parentPort.on('message', () => checkpoint.all())
parentPort.postMessage('ready')`

/**
 * Copies the log into the database in a thread of its own, for the disk takes ten milliseconds and more over
 * it, in which nothing else would run. The thread is started once there is enough to copy. It must load the
 * very file of better-sqlite3 that the process uses: two copies of SQLite in one process break each other's
 * locks. It makes no file: one that was deleted meanwhile is the driver's to make.
 */
export class Checkpointer {
  readonly #database: Database
  readonly #file: string
  #worker: Worker | undefined
  #started: Promise<void> | undefined
  #pages = 0

  /** `file` is the absolute path. */
  constructor(database: Database, file: string) {
    this.#database = database
    this.#file = file
  }

  wrote(pages: number): void {
    this.#pages += pages
    if (this.#pages < EVERY) return
    this.#pages = 0
    if (!this.#worker) this.#start()
    this.#worker?.postMessage('checkpoint')
  }

  async close(): Promise<void> {
    if (!this.#worker) return
    // A thread that is ended while it loads better-sqlite3 ends the process.
    this.#worker.ref()
    await this.#started
    await this.#worker.terminate()
  }

  #start(): void {
    if (!existsSync(this.#file)) return
    try {
      const module = createRequire(import.meta.url).resolve('better-sqlite3')
      const workerData = { module, file: this.#file }
      const worker = new Worker(thread, { eval: true, execArgv: [], workerData })
      this.#worker = worker
      this.#started = new Promise((resolve) => {
        for (const event of ['message', 'error', 'exit']) worker.once(event, () => resolve())
      })
      worker.once('message', () => this.#checkpointAt(BACKSTOP))
      worker.once('error', (error) => this.#giveUp(error))
      worker.unref()
    } catch (error) {
      this.#giveUp(error as Error)
    }
  }

  #giveUp(error: Error): void {
    this.#pages = Number.NEGATIVE_INFINITY
    this.#checkpointAt(ALONE)
    process.emitWarning(`SQLite checkpoints run on the main thread: ${error.message}`, 'SessionStores')
  }

  #checkpointAt(pages: number): void {
    if (this.#database.open) this.#database.pragma(`wal_autocheckpoint = ${pages}`)
  }
}
