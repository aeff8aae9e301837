import {
  checkOptions,
  type Driver,
  type OptionRule,
  SessionStore,
  SessionStoreError,
  type StoreOptions,
  splitOptions,
  type Write,
} from '@session-stores/core'
import pg from 'pg'
import { explained, isRace } from './errors.ts'
import { amount, array, encoded, type Fields, keysOf, numbers, texts, toRow } from './rows.ts'
import { COLUMNS, qualified, type Statement, statements, tableSql } from './sql.ts'

/** What the driver uses of a pg `Pool`, so that no version of it is forced. */
export interface PostgresPool {
  query(query: {
    name?: string
    text: string
    values: unknown[]
    query_timeout?: number
    rowMode: 'array'
    types: { getTypeParser(): (value: string) => string }
  }): Promise<{ rows: unknown[] }>
}

export interface TableOptions {
  /** The schema of the table; it must be there. Default `public`, whatever the connection's `search_path`. */
  schema?: string
  /** The table of the sessions. Default `sessions`. */
  table?: string
}

/** Either `url` or `pool`. */
export type PostgresOptions = (
  | {
      /** `postgres://user:password@host:port/database`; parameters as pg has them. `close()` ends the connections. */
      url: string
      pool?: undefined
    }
  | {
      /** A pg `Pool`; `close()` leaves it open. */
      pool: PostgresPool
      url?: undefined
    }
) &
  TableOptions & {
    /** Makes the table where it is missing. Default `true`; `false`: make it yourself, with the SQL of `ddl()`. */
    createTable?: boolean
    /** Lets the server keep the statements, parsed and planned, by name. Default `true`; `false` for poolers that cannot. */
    namedStatements?: boolean
  }

/** PostgreSQL cuts names off at 63 bytes; those of the indexes are 12 longer than the table's. */
const isName = (longest: number) => (value: unknown) =>
  typeof value === 'string' && value !== '' && !value.includes('\0') && Buffer.byteLength(value) <= longest
const isBoolean = (value: unknown) => typeof value === 'boolean'

const tableRules: Record<keyof TableOptions, OptionRule> = {
  schema: ['the name of a schema, at most 63 bytes', isName(63)],
  table: ['the name of a table, at most 51 bytes', isName(51)],
}

const rules: Record<keyof PostgresOptions, OptionRule> = {
  url: ["a URL such as 'postgres://user:password@localhost:5432/database'", isPostgresUrl],
  pool: ['a pg Pool', (value) => typeof (value as PostgresPool | null)?.query === 'function'],
  ...tableRules,
  createTable: ['a boolean', isBoolean],
  namedStatements: ['a boolean', isBoolean],
}

/** How often a statement is tried that lost to others, as isolation levels above READ COMMITTED have it. */
const MAX_TRIES = 20
/** How many rows `clear` takes at a time. */
const STEP = 1000

/** The SQL that makes the table and its indexes where they are missing, for whoever may. Throws a `TypeError` for a wrong option. */
export function ddl(options: TableOptions = {}): string {
  checkOptions(options, tableRules)
  return tableSql(options.schema ?? 'public', options.table ?? 'sessions')
}

/** Sessions in a table of a PostgreSQL database. Throws a `TypeError` for a wrong option; connects with the first call. */
export function postgresDriver(options: PostgresOptions): Driver {
  checkOptions(options, rules)
  const { url, pool: lent, schema = 'public', table = 'sessions' } = options
  const { createTable = true, namedStatements = true } = options
  if ((url === undefined) === (lent === undefined))
    throw new TypeError("give one of the options 'url' and 'pool' (a pg Pool)")
  const owned = url === undefined ? undefined : newPool(url)
  const pool: PostgresPool = lent ?? owned!
  const sql = statements(schema, table, namedStatements)
  let closing: Promise<void> | undefined

  async function run(statement: Statement, ...values: unknown[]): Promise<Fields[]> {
    for (let tries = 1; ; tries++) {
      if (closing) throw new SessionStoreError('CLOSED', 'the PostgreSQL driver is closed')
      try {
        const { rows } = await pool.query({ ...statement, values, rowMode: 'array', types: asText })
        return rows as Fields[]
      } catch (error) {
        if (tries === MAX_TRIES || !isRace(error)) throw explained(error)
      }
    }
  }

  const put = (writes: readonly Write[], now: number): Promise<Fields[]> =>
    run(
      sql.put[amount(writes)],
      texts(writes, keyOf),
      texts(writes, tagOf),
      texts(writes, ({ user }) => user),
      numbers(writes, ({ createdAt }) => createdAt),
      numbers(writes, deadlineOf),
      texts(writes, encoded),
      array(writes.filter(({ expect }) => expect === '').map(keyOf)),
      now,
    )

  const update = (writes: readonly Write[], now: number): Promise<Fields[]> =>
    run(
      sql.update[amount(writes)],
      texts(writes, keyOf),
      texts(writes, tagOf),
      texts(writes, ({ user }) => user),
      numbers(writes, deadlineOf),
      texts(writes, encoded),
      texts(writes, ({ expect }) => expect!),
      now,
    )

  return {
    name: 'postgres',
    async setup() {
      let found = await run(sql.columns, qualified(schema, table))
      if (found.length === 0 && createTable) {
        await run(sql.create)
        found = await run(sql.columns, qualified(schema, table))
      }
      if (found.length === 0)
        throw new SessionStoreError('BAD_STORAGE', 'the table is missing; make it with the SQL of ddl()')
      const types = Object.fromEntries(found)
      const wrong = Object.entries(COLUMNS).filter(([name, type]) => types[name] !== type)
      if (wrong.length > 0)
        throw new SessionStoreError(
          'BAD_STORAGE',
          "the table is not this store's; name another 'table'",
          new Error(`it lacks ${wrong.map((column) => column.join(' ')).join(', ')}`),
        )
    },
    async read(keys) {
      const rows = await run(sql.read[amount(keys)], keys.join('\n'))
      return rows.map(toRow)
    },
    async write(writes, now) {
      const updates = writes.filter(isUpdate)
      if (updates.length === writes.length) return keysOf(await update(writes, now))
      if (updates.length === 0) return keysOf(await put(writes, now))
      // Two statements side by side. In one, rows could not be locked in the order of their keys alone.
      const others = writes.filter((write) => !isUpdate(write))
      return keysOf((await Promise.all([update(updates, now), put(others, now)])).flat())
    },
    async touch(touches, now) {
      await run(sql.touch[amount(touches)], texts(touches, keyOf), numbers(touches, deadlineOf), now)
    },
    async list({ user, after = '', limit }) {
      const keys = keysOf(
        await (user === undefined
          ? run(sql.list, after, limit + 1)
          : run(sql.listUser, after, limit + 1, user)),
      )
      if (keys.length <= limit) return { keys }
      keys.length = limit
      return { keys, next: keys[limit - 1] }
    },
    async count(now) {
      const [row] = await run(sql.count, now)
      return Number(row![0])
    },
    async prune(before, limit) {
      for (let removed = 0; ; ) {
        const [row] = await run(sql.prune, before, limit)
        const [gone, postponed] = row!.map(Number) as [number, number]
        removed += gone
        // Many rows may be due that were touched since: they are put off, and do not hide the others.
        if (removed >= limit || gone + postponed < limit) return removed
      }
    },
    async clear() {
      let last: string | null = ''
      while (last !== null) last = (await run(sql.clear, last, STEP))[0]![0]!
    },
    async ping() {
      await run(sql.ping)
    },
    close() {
      closing ??= owned ? owned.end() : Promise.resolve()
      return closing
    },
  }
}

/** express-session's store on PostgreSQL. */
export class PostgresStore extends SessionStore {
  /** Throws a `TypeError` for a wrong option. */
  constructor(options: PostgresOptions & StoreOptions) {
    const [own, rest] = splitOptions<PostgresOptions>(options, rules)
    super(postgresDriver(own), rest)
  }
}

function newPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    fallback_application_name: 'session-stores',
    max: 8,
    // Less than the core waits for a call, so that the error tells the reason.
    connectionTimeoutMillis: 3000,
    idleTimeoutMillis: 30_000,
    // A connection whose other end vanished without a word is given up at last.
    query_timeout: 20_000,
    keepAlive: true,
    allowExitOnIdle: true,
  })
  // Of connections that nobody uses; the pool opens another one.
  pool.on('error', () => {})
  return pool
}

/** pg's own parsers belong to the application, which may have changed them. */
const asText = { getTypeParser: () => (value: string) => value }

const isUpdate = ({ data, expect }: Write): boolean => data !== null && !!expect

const keyOf = ({ key }: { key: string }): string => key
const tagOf = ({ tag }: Write): string => tag
const deadlineOf = ({ expiresAt }: { expiresAt: number }): number => expiresAt

function isPostgresUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol)
}
