import { resolve } from 'node:path'
import {
  type Awaitable,
  checkOptions,
  type Driver,
  type OptionRule,
  type Row,
  SessionStore,
  SessionStoreError,
  type StoreOptions,
  splitOptions,
  timers,
} from '@session-stores/core'
import Database from 'better-sqlite3'
import { Checkpointer } from './checkpoint.ts'
import { isTableMissing, NOT_NOW, whyNotMade } from './errors.ts'
import { makePrivateFile, WatchedFile } from './file.ts'
import { Lane } from './lane.ts'
import { prepareTable, type Statements } from './statements.ts'

const { setImmediate, uptime } = timers

/** What the driver uses of better-sqlite3, so that no version of its types is forced. */
export interface SqliteDatabase {
  readonly open: boolean
  readonly inTransaction: boolean
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
}

export interface SqliteStatement {
  run(...values: unknown[]): { changes: number }
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
  pluck(): SqliteStatement
  safeIntegers(on: boolean): SqliteStatement
}

/** Either `path` or `database`. */
export type SqliteOptions = (
  | {
      /** The file of the database; made where it is missing, its folder is not. `:memory:` for tests. `close()` closes it. */
      path: string
      database?: undefined
    }
  | {
      /**
       * An open better-sqlite3 `Database`. `close()` leaves it open, and none of its pragmas is changed: set
       * `journal_mode = WAL` and a short `timeout` yourself, for while SQLite waits nothing else runs.
       */
      database: SqliteDatabase
      path?: undefined
    }
) & {
  /** The table of the sessions, made where it is missing. Default `sessions`. */
  table?: string
}

const rules: Record<keyof SqliteOptions, OptionRule> = {
  path: ['the path of a file', (value) => typeof value === 'string' && value.trim() !== ''],
  database: [
    "a better-sqlite3 Database: new Database(file) of 'better-sqlite3', not of node:sqlite; await a promise of one; a " +
      "file is the option 'path'",
    isDatabase,
  ],
  table: [
    'the name of a table: not empty, no NUL, not beginning with sqlite_',
    (value) => typeof value === 'string' && value !== '' && !/\0|^sqlite_/i.test(value),
  ],
}

const LENT_IS_GONE =
  'the file of the SQLite database that was lent was deleted or replaced: open it again and give it to a new store'
/** How many rows `clear` and `count` take in one turn of the event loop. */
const STEP = 2000
/** How much of core's time limit a call waits for a lock: what is left is for the work itself. */
const WAIT_SHARE = 0.8

/** Sessions in a table of a SQLite database. Throws a `TypeError` for a wrong option; `setup` opens the file. */
export function sqliteDriver(options: SqliteOptions): Driver {
  checkOptions(options, rules)
  const { path, database: lent, table = 'sessions' } = options
  if ((path === undefined) === (lent === undefined))
    throw new TypeError("give one of the options 'path' (a file) and 'database' (a better-sqlite3 Database)")
  // Where there is a log, readers need no lock that a writer holds: they do not wait behind one.
  const [reads, writes] = [new Lane(), new Lane()]
  let isSetUp = false
  let file: string | undefined
  let watched: WatchedFile | undefined
  let owned: Database.Database | undefined
  let checkpointer: Checkpointer | undefined
  let statements: Statements | undefined
  const retired: Promise<void>[] = []

  function setUp(): void {
    leaveToOwner()
    if (statements && !watched?.isGone(true)) statements = tableOf((lent ?? owned)!)
    else open()
    isSetUp = true
  }

  function open(): Statements {
    if (!lent) return openFile()
    const name = fileOf(lent)
    if (name) watched ??= new WatchedFile(name)
    if (watched?.isGone()) throw new SessionStoreError('BAD_STORAGE', LENT_IS_GONE)
    statements = tableOf(lent)
    return statements
  }

  function openFile(): Statements {
    retire()
    // Later it is the same file, wherever the process goes.
    file ??= isOnDisk(path!) ? resolve(path!.trim()) : path!
    if (isOnDisk(file)) {
      makePrivateFile(file)
      // Before SQLite opens it: a file that is replaced meanwhile is noticed then.
      watched = new WatchedFile(file)
    }
    // No wait inside of SQLite: meanwhile nothing else runs in this process.
    const database = new Database(file, { timeout: 0 })
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -128000')
      const made = tableOf(database)
      const name = fileOf(database)
      checkpointer = name ? new Checkpointer(database, name) : undefined
      owned = database
      statements = made
      return made
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** Closes what was opened; the thread ends by itself. */
  function retire(): void {
    statements = undefined
    if (checkpointer) retired.push(checkpointer.close())
    checkpointer = undefined
    owned?.close()
    owned = undefined
  }

  function tableOf(database: SqliteDatabase): Statements {
    try {
      return prepareTable(database, table)
    } catch (error) {
      throw whyNotMade(error)
    }
  }

  /** What is written inside a transaction of the owner's would go with it when that is rolled back. */
  function leaveToOwner(): void {
    if (lent?.inTransaction) throw NOT_NOW
  }

  function ready(): Statements {
    if (!isSetUp) throw new SessionStoreError('CLOSED', 'the SQLite database is not open')
    leaveToOwner()
    return statements === undefined || watched?.isGone() ? open() : statements
  }

  /** Does the work at once and returns what it gives; a promise of it only if a lock is in the way. */
  function run<T>(lane: Lane, work: (sql: Statements) => T, since?: number): Awaitable<T> {
    return lane.attempt(() => {
      const sql = ready()
      try {
        return work(sql)
      } catch (error) {
        if (!isTableMissing(error)) throw error
      }
      // Somebody dropped the table; nothing was done yet.
      statements = tableOf((lent ?? owned)!)
      return work(statements)
    }, since)
  }

  return {
    name: 'sqlite',
    place: table,
    setup(timeLimit = 5000) {
      reads.longestWait = writes.longestWait = Math.ceil(timeLimit * WAIT_SHARE)
      return writes.attempt(setUp)
    },
    read: (keys) =>
      run(
        reads,
        (sql) => (keys.length === 1 ? sql.readOne.all(keys[0]) : sql.read.all(JSON.stringify(keys))) as Row[],
      ),
    write: (rows, now) =>
      run(writes, (sql) => {
        const landed: string[] = []
        let pages = 0
        together(sql, rows, (write) => {
          if (!sql.write(write, now)) return
          landed.push(write.key)
          pages += 1 + (write.data?.length ?? 0) / 4096
        })
        checkpointer?.wrote(pages)
        return landed
      }),
    touch: (touches, now) =>
      run(writes, (sql) => {
        together(sql, touches, (touch) => sql.touch(touch, now))
        checkpointer?.wrote(touches.length)
      }),
    async list({ user, after = '', limit }) {
      const keys = (await run(reads, (sql) =>
        user === undefined ? sql.list.all(after, limit + 1) : sql.listUser.all(user, after, limit + 1),
      )) as string[]
      if (keys.length <= limit) return { keys }
      keys.length = limit
      return { keys, next: keys[limit - 1] }
    },
    async count(now) {
      let count = 0
      for (let after = 0; ; await nextTurn()) {
        const step = (await run(reads, (sql) => sql.count.get({ now, after, limit: STEP }))) as CountStep
        count += step.live
        if (step.seen < STEP) return count
        after = step.last
      }
    },
    async prune(before, limit) {
      const since = uptime()
      let removed = 0
      for (; ; await nextTurn()) {
        const most = limit - removed
        const [gone, postponed] = await run(
          writes,
          (sql) => {
            const over = Math.min(before, sql.clock.get() as number)
            return sql.atomically(() => [
              sql.prune.run({ before: over, limit, most }).changes,
              sql.postpone.run({ before: over, limit }).changes,
            ])
          },
          since,
        )
        checkpointer?.wrote(gone + postponed)
        removed += gone
        if (gone === most || gone + postponed < limit) return removed
      }
    },
    async clear() {
      for (; ; await nextTurn()) {
        const gone = await run(writes, (sql) => sql.clear.run(STEP).changes)
        checkpointer?.wrote(gone)
        if (gone < STEP) return
      }
    },
    ping: () => run(reads, (sql) => sql.clock.get() as number),
    async close() {
      isSetUp = false
      const closed = new SessionStoreError('CLOSED', 'the SQLite database was closed')
      for (const lane of [reads, writes]) lane.giveUp(closed)
      if (checkpointer) retired.push(checkpointer.close())
      checkpointer = undefined
      await Promise.all(retired)
      retire()
    },
  }
}

/** express-session's store on a SQLite database: one machine, any number of processes. */
export class SqliteStore extends SessionStore {
  /** Throws a `TypeError` for a wrong option. */
  constructor(options: SqliteOptions & StoreOptions) {
    const [own, rest] = splitOptions<SqliteOptions>(options, rules)
    super(sqliteDriver(own), rest)
  }
}

interface CountStep {
  live: number
  seen: number
  last: number
}

/** One transaction for all; none for a single row, whose statements are complete each by itself. */
function together<T>(sql: Statements, rows: readonly T[], each: (row: T) => void): void {
  if (rows.length === 1) each(rows[0] as T)
  else sql.atomically(() => rows.forEach(each))
}

/** The absolute path of its file; empty for a database in memory. */
function fileOf(database: SqliteDatabase): string {
  const name = database.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'").pluck().get()
  return (name ?? '') as string
}

/** better-sqlite3 trims the path; one that begins so may be a URI, which is left to SQLite. */
const isOnDisk = (path: string): boolean => !/^\s*(:memory:\s*$|file:)/.test(path)

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function isDatabase(value: unknown): boolean {
  const { prepare, exec, inTransaction } = (value ?? {}) as Record<string, unknown>
  return typeof prepare === 'function' && typeof exec === 'function' && typeof inTransaction === 'boolean'
}
