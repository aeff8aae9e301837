import {
  checkOptions,
  type Driver,
  exactlyOne,
  type OptionRule,
  pageOf,
  type Schema,
  SessionStore,
  type StoreOptions,
  splitOptions,
} from '@session-stores/core'
import { isPool, isReadable, LentPool, OwnPool, type PostgresPool } from './client.ts'
import { HINTS } from './hints.ts'
import { DEFAULT_TIME_LIMIT, Queries } from './queries.ts'
import { expiresAtOf, keyOf, keysOf, oneOrMany, quoteTable, tagOf, toRow, toScalars, toTexts } from './row.ts'
import { SCHEMA, type Step, toTableSql } from './schema.ts'
import { prepareTable } from './setup.ts'
import { createStatements } from './statements.ts'
import { Writes } from './writes.ts'

export type { PostgresPool } from './client.ts'

/** Where the table is, and what it is called. */
export interface TableOptions {
  /**
   * The schema of the table. The schema must exist, and the `search_path` of the connection does
   * not matter.
   *
   * @default 'public'
   */
  schema?: string
  /**
   * The table of the sessions, whose name has at most 51 bytes.
   *
   * @default 'sessions'
   */
  table?: string
}

/** The options of the driver: either `url` or `pool`, and where the table is. */
export type PostgresOptions = (
  | {
      /**
       * `postgres://user:password@host:port/database`, or another form that pg reads
       * (`postgres://user@/database?host=/folder`, `socket:/folder?db=database`), with pg's
       * parameters. `close()` ends the connections.
       */
      url: string
      pool?: undefined
    }
  | {
      /** A pg `Pool`. `close()` leaves it open. */
      pool: PostgresPool
      url?: undefined
    }
) &
  TableOptions & {
    /**
     * Makes the table where it is missing. `false`: make the table yourself, with the SQL of
     * `ddl()`.
     *
     * @default true
     */
    createTable?: boolean
    /**
     * Lets the server keep the statements, parsed and planned, by name. `false`: for poolers that
     * cannot keep prepared statements.
     *
     * @default true
     */
    namedStatements?: boolean
  }

/** PostgreSQL cuts names off at 63 bytes. The names of the indexes add 12 bytes to the table's. */
const isName = (longest: number) => (value: unknown) =>
  typeof value === 'string' && value !== '' && !value.includes('\0') && Buffer.byteLength(value) <= longest
const isBoolean = (value: unknown) => typeof value === 'boolean'

const tableRules: Record<keyof TableOptions, OptionRule> = {
  schema: ['the name of a schema, at most 63 bytes', isName(63)],
  table: ['the name of a table, at most 51 bytes', isName(51)],
}

const rules: Record<keyof PostgresOptions, OptionRule> = {
  url: [
    "a URL that pg reads, such as 'postgres://user:password@localhost:5432/database'; write the password as " +
      'encodeURIComponent(password) returns it',
    (value) => typeof value === 'string' && isReadable(value),
  ],
  pool: [
    'a pg Pool: write new pg.Pool({ … }) instead of new pg.Client, await a promise of a pool, ' +
      "and give a URL as the option 'url'",
    isPool,
  ],
  ...tableRules,
  createTable: ['a boolean', isBoolean],
  namedStatements: ['a boolean', isBoolean],
}

/** How many rows `clear` removes at a time. */
const CLEAR_STEP = 1000

/**
 * Returns the SQL that makes the table and its indexes where they are missing, and that brings those of
 * an older version of this package up to date: for a migration, or for a role that may create tables.
 *
 * @throws TypeError for a wrong option.
 * @example
 * await pool.query(ddl({ schema: 'app', table: 'sessions' }))
 */
export function ddl(options: TableOptions = {}): string {
  checkOptions(options, tableRules)
  return toTableSql(options.schema ?? 'public', options.table ?? 'sessions', SCHEMA)
}

/**
 * Returns a driver that keeps sessions in a table of a PostgreSQL database, for a `SessionStore` of
 * your own making. The driver connects with the first call.
 *
 * This is one function, because its verbs share one set of connections and statements.
 *
 * @param changes the schema of the table, for tests of a schema before its release.
 * @throws TypeError for a wrong option.
 * @example
 * const store = new SessionStore(postgresDriver({ pool, table: 'sessions' }))
 */
export function postgresDriver(options: PostgresOptions, changes: Schema<Step> = SCHEMA): Driver {
  checkOptions(options, rules, { hints: HINTS })
  exactlyOne(options, { url: 'a connection URL', pool: 'a pg Pool' })
  const { url, pool, schema = 'public', table = 'sessions' } = options
  const { createTable = true, namedStatements = true } = options
  const name = quoteTable(schema, table)
  const statements = createStatements(schema, table, namedStatements, changes)
  const connections = url === undefined ? new LentPool(pool!) : new OwnPool(url)
  const queries = new Queries(connections, statements.clock)
  const writer = new Writes(queries, statements)

  return {
    name: 'postgres',
    place: name,
    async setup(timeLimit = DEFAULT_TIME_LIMIT) {
      queries.setTimeLimit(timeLimit)
      await prepareTable(queries, statements, name, createTable, changes)
      await queries.readClock(statements.clock)
    },
    async read(keys) {
      const rows = await queries.run(statements.read[oneOrMany(keys)], keys.join('\n'))
      return rows.map(toRow)
    },
    write: (writes, now) => writer.write(writes, now),
    async touch(touches, now) {
      await queries.run(
        statements.touch[oneOrMany(touches)],
        toTexts(touches, keyOf),
        toScalars(touches, expiresAtOf),
        toTexts(touches, tagOf),
        now,
      )
    },
    async list({ user, after = '', limit }) {
      const rows = await (user === undefined
        ? queries.run(statements.list, after, limit + 1)
        : queries.run(statements.listUser, after, limit + 1, user))
      return pageOf(keysOf(rows), limit)
    },
    async count(now) {
      const [row] = await queries.run(statements.count, now)
      return Number(row![0])
    },
    async prune(before, limit) {
      for (let removed = 0; ; ) {
        const [row] = await queries.run(statements.prune, before, limit)
        const [gone, postponed] = row!.map(Number) as [number, number]
        removed += gone
        // Many due rows may have been touched since. They are postponed and do not hide the others.
        if (removed >= limit || gone + postponed < limit) return removed
      }
    },
    async clear(signal) {
      let last: string | null = ''
      while (last !== null && !signal?.aborted)
        last = (await queries.run(statements.clear, last, CLEAR_STEP))[0]![0]!
    },
    ping: () => queries.readClock(statements.ping),
    close: () => queries.close(),
  }
}

/**
 * The store of express-session on PostgreSQL. The options of the driver and those of every store go
 * into one object.
 *
 * @example
 * const store = new PostgresStore({ url: process.env.DATABASE_URL, idleTimeout: 30 * 60_000 })
 * app.use(session({ store, secret, resave: false, saveUninitialized: false }))
 */
export class PostgresStore extends SessionStore {
  /**
   * Opens nothing: the first call does.
   *
   * @throws TypeError for a wrong option.
   */
  constructor(options: PostgresOptions & StoreOptions) {
    const [own, rest] = splitOptions<PostgresOptions>(options, rules, HINTS)
    super(postgresDriver(own), rest)
  }
}
