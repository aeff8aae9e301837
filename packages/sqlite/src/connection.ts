import { type Schema, SessionStoreError } from '@session-stores/core'
import type { Database } from 'better-sqlite3'
import { Checkpointer } from './checkpoint.ts'
import { fileOf, isOnDisk, openDatabase, type SqliteDatabase, toAbsolute } from './client.ts'
import { OWNER_IN_TRANSACTION, toMissingTableError } from './errors.ts'
import { makePrivateFile, WatchedFile } from './file.ts'
import type { Step } from './schema.ts'
import { prepareTable, type Statements } from './statements.ts'

/**
 * The database of one driver, its own or a lent one. Opens it, opens it again when its file was
 * deleted or replaced, and closes what it opened.
 */
export class Connection {
  readonly #path: string
  readonly #lent: SqliteDatabase | undefined
  readonly #table: string
  readonly #changes: Schema<Step>
  #isSetUp = false
  #watched: WatchedFile | undefined
  #owned: Database | undefined
  #checkpointer: Checkpointer | undefined
  #statements: Statements | undefined
  readonly #closing: Promise<void>[] = []
  /** The absolute path, from the first time on that the file is opened. */
  #file: string | undefined

  /** Opens nothing yet. `path` counts where no database is lent. */
  constructor(path: string, lent: SqliteDatabase | undefined, table: string, changes: Schema<Step>) {
    this.#path = path
    this.#lent = lent
    this.#table = table
    this.#changes = changes
  }

  /** Opens the database and makes the table, each where it is missing. */
  setUp(): void {
    this.#leaveToOwner()
    if (this.#statements && !this.#watched?.isGone(true)) this.remakeTable()
    else this.#open()
    this.#isSetUp = true
  }

  /**
   * Returns the statements to run now. Opens the database again where its file is gone.
   *
   * @throws CLOSED, BAD_STORAGE where the file of a lent database is gone
   */
  ready(): Statements {
    if (!this.#isSetUp) throw new SessionStoreError('CLOSED', 'the SQLite database is not open')
    this.#leaveToOwner()
    return this.#statements === undefined || this.#watched?.isGone() ? this.#open() : this.#statements
  }

  /** Makes the table again where it was dropped, and returns the statements on it. */
  remakeTable(): Statements {
    this.#statements = this.#prepare((this.#lent ?? this.#owned)!)
    return this.#statements
  }

  /** Adds pages that were written to the log. */
  addPages(pages: number): void {
    this.#checkpointer?.addPages(pages)
  }

  /** Closes what the driver opened, after the threads of the checkpoints have ended. */
  async close(): Promise<void> {
    this.#isSetUp = false
    this.#closeCheckpointer()
    await Promise.all(this.#closing)
    this.#closeDatabase()
  }

  #open(): Statements {
    if (!this.#lent) return this.#openFile()
    const name = fileOf(this.#lent)
    if (name) this.#watched ??= new WatchedFile(name)
    if (this.#watched?.isGone())
      throw new SessionStoreError(
        'BAD_STORAGE',
        'the file of the SQLite database that was lent was deleted or replaced: open it again and give it to a new store',
      )
    return this.remakeTable()
  }

  #openFile(): Statements {
    this.#closeDatabase()
    this.#file ??= toAbsolute(this.#path)
    if (isOnDisk(this.#file)) {
      makePrivateFile(this.#file)
      // The watch begins before SQLite opens the file, so a file that is replaced now is noticed.
      this.#watched = new WatchedFile(this.#file)
    }
    const database = openDatabase(this.#file)
    try {
      const statements = this.#prepare(database)
      const name = fileOf(database)
      this.#checkpointer = name ? new Checkpointer(database, name) : undefined
      this.#owned = database
      this.#statements = statements
      return statements
    } catch (error) {
      database.close()
      throw error
    }
  }

  #prepare(database: SqliteDatabase): Statements {
    try {
      return prepareTable(database, this.#table, this.#changes)
    } catch (error) {
      throw toMissingTableError(error)
    }
  }

  #closeDatabase(): void {
    this.#statements = undefined
    this.#closeCheckpointer()
    this.#owned?.close()
    this.#owned = undefined
  }

  /** Starts to end the thread of the checkpoints. */
  #closeCheckpointer(): void {
    if (this.#checkpointer) this.#closing.push(this.#checkpointer.close())
    this.#checkpointer = undefined
  }

  /** A rollback of the owner's transaction would undo whatever was written inside of it. */
  #leaveToOwner(): void {
    if (this.#lent?.inTransaction) throw OWNER_IN_TRANSACTION
  }
}
