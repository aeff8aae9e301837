import { setImmediate as nextTurn } from 'node:timers/promises'
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
  type Touch,
  type Write,
} from '@session-stores/core'
import Database from 'better-sqlite3'
import { attempt, NOT_NOW } from './attempt.ts'
import { Checkpointer } from './checkpoint.ts'
import { prepareTable, type Statements } from './table.ts'

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
  database: ['a better-sqlite3 Database', isDatabase],
  table: [
    'the name of a table: not empty, no NUL, not beginning with sqlite_',
    (value) => typeof value === 'string' && value !== '' && !/\0|^sqlite_/i.test(value),
  ],
}

/** How long SQLite itself waits for a lock, in milliseconds: meanwhile nothing else runs in this process. */
const BLOCKING_WAIT = 10
/** How many rows `clear` and `count` take in one turn of the event loop. */
const STEP = 2000

/** Sessions in a table of a SQLite database. Throws a `TypeError` for a wrong option; `setup` opens the file. */
export function sqliteDriver(options: SqliteOptions): Driver {
  checkOptions(options, rules)
  const { path, database: lent, table = 'sessions' } = options
  if ((path === undefined) === (lent === undefined))
    throw new TypeError("give one of the options 'path' (a file) and 'database' (a better-sqlite3 Database)")
  let owned: Database.Database | undefined
  let checkpointer: Checkpointer | undefined
  let statements: Statements | undefined

  function open(): void {
    if (statements) return
    if (lent) {
      leaveToOwner()
      statements = prepareTable(lent, table)
      return
    }
    const file = new Database(path!, { timeout: BLOCKING_WAIT })
    try {
      file.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -128000')
      statements = prepareTable(file, table)
      checkpointer = checkpointerOf(file)
      owned = file
    } catch (error) {
      file.close()
      throw error
    }
  }

  /** What is written inside a transaction of the owner's would go with it when that is rolled back. */
  function leaveToOwner(): void {
    if (lent?.inTransaction) throw NOT_NOW
  }

  /** Does the work at once and returns what it gives; a promise of it only if a lock is in the way. */
  function run<T>(work: (sql: Statements) => T): Awaitable<T> {
    return attempt(() => {
      if (!statements) throw new SessionStoreError('CLOSED', 'the SQLite database is not open')
      leaveToOwner()
      return work(statements)
    })
  }

  return {
    name: 'sqlite',
    setup: () => attempt(open),
    read: (keys) =>
      run(
        (sql) => (keys.length === 1 ? sql.readOne.all(keys[0]) : sql.read.all(JSON.stringify(keys))) as Row[],
      ),
    write: (writes, now) =>
      run((sql) => {
        const landed: string[] = []
        let pages = 0
        together(sql, writes, (write) => {
          if (!writeRow(sql, write, now)) return
          landed.push(write.key)
          pages += 1 + (write.data?.length ?? 0) / 4096
        })
        checkpointer?.wrote(pages)
        return landed
      }),
    touch: (touches, now) =>
      run((sql) => {
        together(sql, touches, (touch) => touchRow(sql, touch, now))
        checkpointer?.wrote(touches.length)
      }),
    async list({ user, after = '', limit }) {
      const keys = (await run((sql) =>
        user === undefined ? sql.list.all(after, limit + 1) : sql.listUser.all(user, after, limit + 1),
      )) as string[]
      if (keys.length <= limit) return { keys }
      keys.length = limit
      return { keys, next: keys[limit - 1] }
    },
    async count(now) {
      let count = 0
      for (let after = 0; ; await nextTurn()) {
        const step = (await run((sql) => sql.count.get({ now, after, limit: STEP }))) as CountStep
        count += step.live
        if (step.seen < STEP) return count
        after = step.last
      }
    },
    async prune(before, limit) {
      let removed = 0
      for (; ; await nextTurn()) {
        const most = limit - removed
        const [gone, postponed] = await run((sql) =>
          sql.atomically(() => [
            sql.prune.run({ before, limit, most }).changes,
            sql.postpone.run({ before, limit }).changes,
          ]),
        )
        checkpointer?.wrote(gone + postponed)
        removed += gone
        if (gone === most || gone + postponed < limit) return removed
      }
    },
    async clear() {
      for (; ; await nextTurn()) {
        const gone = await run((sql) => sql.clear.run(STEP).changes)
        checkpointer?.wrote(gone)
        if (gone < STEP) return
      }
    },
    ping: () => run((sql) => void sql.ping.get()),
    async close() {
      statements = undefined
      await checkpointer?.close()
      owned?.close()
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

/** Says whether it landed. */
function writeRow(sql: Statements, write: Write, now: number): boolean {
  const { key, data, expiresAt, expect = null } = write
  if (data === null && expiresAt <= now) {
    sql.remove.run(key)
    return true
  }
  const row = { ...write, expect, now }
  if (data === null || expect === '') return sql.put.run(row).changes === 1
  return sql.rewrite.run(row).changes === 1 || (expect === null ? sql.put : sql.update).run(row).changes === 1
}

function touchRow(sql: Statements, { key, expiresAt }: Touch, now: number): void {
  const row = { key, expiresAt, now }
  if (sql.touch.run(row).changes === 0) sql.touchEarlier.run(row)
}

/** One transaction for all; none for a single row, whose statements are complete each by itself. */
function together<T>(sql: Statements, rows: readonly T[], each: (row: T) => void): void {
  if (rows.length === 1) each(rows[0] as T)
  else sql.atomically(() => rows.forEach(each))
}

/** None for a database that is no file. */
function checkpointerOf(database: Database.Database): Checkpointer | undefined {
  const file = database.prepare("SELECT file FROM pragma_database_list WHERE name = 'main'").pluck().get()
  return file ? new Checkpointer(database, file as string) : undefined
}

function isDatabase(value: unknown): boolean {
  const { prepare, exec } = (value ?? {}) as Record<string, unknown>
  return typeof prepare === 'function' && typeof exec === 'function'
}
