import {
  type Awaitable,
  checkOptions,
  type Driver,
  exactlyOne,
  type OptionRule,
  pageOf,
  type Row,
  type Schema,
  SessionStore,
  SessionStoreError,
  type StoreOptions,
  splitOptions,
  timers,
} from '@session-stores/core'
import { isDatabase, isPath, type SqliteDatabase } from './client.ts'
import { Connection } from './connection.ts'
import { isTableMissing } from './errors.ts'
import { HINTS } from './hints.ts'
import { Lane } from './lane.ts'
import { SCHEMA, type Step, VERSIONS } from './schema.ts'
import type { CountStep, Statements } from './statements.ts'

const { setImmediate, uptime } = timers

export type { SqliteDatabase, SqliteStatement } from './client.ts'

/** Options of the SQLite driver: exactly one of `path` and `database`, and perhaps `table`. */
export type SqliteOptions = (
  | {
      /**
       * The file of the database, which is made where it is missing. Its folder must exist.
       * `:memory:` is for tests. `close()` closes the file.
       */
      path: string
      database?: undefined
    }
  | {
      /**
       * An open better-sqlite3 `Database`. `close()` leaves it open, and none of its pragmas is
       * changed. Set `journal_mode = WAL` and a `timeout` of some milliseconds yourself, because
       * nothing else runs in the process while SQLite waits for a lock.
       */
      database: SqliteDatabase
      path?: undefined
    }
) & {
  /**
   * The table of the sessions, which is made where it is missing.
   *
   * @default 'sessions'
   */
  table?: string
}

const RESERVED = new RegExp(`\\0|^sqlite_|^${VERSIONS}$`, 'i')

const rules: Record<keyof SqliteOptions, OptionRule> = {
  path: ["the path of a file, or ':memory:'", isPath],
  database: [
    "a better-sqlite3 Database: new Database(file) of 'better-sqlite3', not of node:sqlite; await a promise of one; a " +
      "file is the option 'path'",
    isDatabase,
  ],
  table: [
    `the name of a table: not empty, no NUL, not beginning with sqlite_, and not ${VERSIONS}`,
    (value) => typeof value === 'string' && value !== '' && !RESERVED.test(value),
  ],
}

/** How many rows `clear` and `count` take in one turn of the event loop. */
const STEP = 2000
/** The share of core's time limit in which a call waits for a lock. The work needs the rest. */
const WAIT_SHARE = 0.8
/** The size of a page of SQLite, in bytes. */
const PAGE = 4096

/**
 * Makes a driver that keeps sessions in a table of a SQLite database. `setup` opens the file. For a
 * `SessionStore` of your own making; `SqliteStore` does it for you.
 *
 * It is one function because its methods share one closure; each of them is short.
 *
 * @param changes the schema of the table, for tests of a schema before its release.
 * @throws TypeError for a wrong option.
 */
export function sqliteDriver(options: SqliteOptions, changes: Schema<Step> = SCHEMA): Driver {
  checkOptions(options, rules, { hints: HINTS })
  exactlyOne(options, { path: 'a file', database: "a Database of 'better-sqlite3'" })
  const { path = '', database, table = 'sessions' } = options
  const connection = new Connection(path, database, table, changes)
  // In WAL mode readers need no lock that a writer holds, so they do not wait behind writers.
  const [reads, writes] = [new Lane(), new Lane()]

  /**
   * Does the work at once and returns its result, or a promise of it where a lock is in the way.
   */
  function run<T>(lane: Lane, work: (sql: Statements) => T, since?: number): Awaitable<T> {
    return lane.attempt(() => {
      const sql = connection.ready()
      try {
        return work(sql)
      } catch (error) {
        if (!isTableMissing(error)) throw error
      }
      // The table was dropped, so the work has done nothing yet.
      return work(connection.remakeTable())
    }, since)
  }

  return {
    name: 'sqlite',
    place: table,
    setup(timeLimit = 5000) {
      reads.longestWait = writes.longestWait = Math.ceil(timeLimit * WAIT_SHARE)
      return writes.attempt(() => connection.setUp())
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
        runEach(sql, rows, (write) => {
          if (!sql.write(write, now)) return
          landed.push(write.key)
          pages += 1 + (write.data?.length ?? 0) / PAGE
        })
        connection.addPages(pages)
        return landed
      }),
    touch: (touches, now) =>
      run(writes, (sql) => {
        runEach(sql, touches, (touch) => sql.touch(touch, now))
        connection.addPages(touches.length)
      }),
    async list({ user, after = '', limit }) {
      const keys = await run(reads, (sql) =>
        user === undefined ? sql.list.all(after, limit + 1) : sql.listUser.all(user, after, limit + 1),
      )
      return pageOf(keys as string[], limit)
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
        const pruneStep = (sql: Statements): [gone: number, postponed: number] => {
          // Rows that have not expired by the clock of the machine stay.
          const expired = Math.min(before, sql.clock.get() as number)
          return sql.atomically(() => [
            sql.prune.run({ before: expired, limit, most }).changes,
            sql.postpone.run({ before: expired, limit }).changes,
          ])
        }
        const [gone, postponed] = await run(writes, pruneStep, since)
        connection.addPages(gone + postponed)
        removed += gone
        if (gone === most || gone + postponed < limit) return removed
      }
    },
    async clear(signal) {
      for (; !signal?.aborted; await nextTurn()) {
        const gone = await run(writes, (sql) => sql.clear.run(STEP).changes)
        connection.addPages(gone)
        if (gone < STEP) return
      }
    },
    ping: () => run(reads, (sql) => sql.clock.get() as number),
    close() {
      const closed = new SessionStoreError('CLOSED', 'the SQLite database was closed')
      for (const lane of [reads, writes]) lane.giveUp(closed)
      return connection.close()
    },
  }
}

/**
 * A store for express-session on a SQLite database: for one machine and any number of processes.
 *
 * @example
 * const store = new SqliteStore({ path: 'sessions.db' })
 * app.use(session({ store, secret, resave: false, saveUninitialized: false }))
 */
export class SqliteStore extends SessionStore {
  /**
   * Takes the options of the driver and of every store in one object. Opens nothing: the first call
   * does.
   *
   * @throws TypeError for a wrong option.
   */
  constructor(options: SqliteOptions & StoreOptions) {
    const [own, rest] = splitOptions<SqliteOptions>(options, rules, HINTS)
    super(sqliteDriver(own), rest)
  }
}

/** Runs many rows in one transaction. A single row needs none, as each of its statements is one. */
function runEach<T>(sql: Statements, rows: readonly T[], each: (row: T) => void): void {
  if (rows.length === 1) each(rows[0] as T)
  else sql.atomically(() => rows.forEach(each))
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
