import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'

/** After how many pages in the log the thread copies them into the database. */
const EVERY = 2000
/**
 * At how many pages in the log a commit copies them itself. The first is SQLite's default, for when
 * there is no thread. The second lets the thread do the work.
 */
const [WITHOUT_THREAD, WITH_THREAD] = [1000, 16_000]

const thread = `
const { parentPort, workerData } = require('node:worker_threads')
const database = new (require(workerData.module))(workerData.file, { timeout: 0, fileMustExist: true })
database.exec('PRAGMA synchronous = NORMAL')
const checkpoint = database.prepare('PRAGMA wal_checkpoint(PASSIVE)')
parentPort.on('message', () => checkpoint.all())
parentPort.postMessage('ready')`

/**
 * Copies the log into the database in a thread of its own, which starts once there is enough to
 * copy. See docs/decisions/0010-sqlite-checkpoint-thread.md.
 *
 * The thread must load the very file of better-sqlite3 that the process uses, because two copies of
 * SQLite in one process break each other's locks. It makes no file: that is left to the driver.
 */
export class Checkpointer {
  readonly #database: Database
  readonly #file: string
  #worker: Worker | undefined
  #started: Promise<void> | undefined
  #pages = 0

  /** @param file the absolute path of the database */
  constructor(database: Database, file: string) {
    this.#database = database
    this.#file = file
  }

  /** Adds pages that were written to the log, and has the log copied where there are enough. */
  addPages(pages: number): void {
    this.#pages += pages
    if (this.#pages < EVERY) return
    this.#pages = 0
    if (!this.#worker) this.#start()
    this.#worker?.postMessage('checkpoint')
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    if (!this.#worker) return
    // Ending a thread while it loads better-sqlite3 would end the process.
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
      worker.once('message', () => this.#checkpointAt(WITH_THREAD))
      worker.once('error', (error) => this.#giveUp(error))
      worker.unref()
    } catch (error) {
      this.#giveUp(error as Error)
    }
  }

  #giveUp(error: Error): void {
    this.#pages = Number.NEGATIVE_INFINITY
    this.#checkpointAt(WITHOUT_THREAD)
    process.emitWarning(`SQLite checkpoints run on the main thread: ${error.message}`, {
      type: 'SessionStoresWarning',
      code: 'SESSION_STORES_CHECKPOINT',
    })
  }

  #checkpointAt(pages: number): void {
    if (this.#database.open) this.#database.pragma(`wal_autocheckpoint = ${pages}`)
  }
}
