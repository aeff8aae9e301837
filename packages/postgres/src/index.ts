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
import { borrowPool, isReadable, openPool, type PostgresPool, Query, uptime } from './client.ts'
import { explained, isForgotten, isLate, isRace } from './errors.ts'
import { amount, array, encoded, type Fields, keysOf, landedKeys, scalars, texts, toRow } from './row.ts'
import { COLUMNS, qualified, type Statement, statements, tableSql } from './statements.ts'

export type { PostgresPool } from './client.ts'

export interface TableOptions {
  /** The schema of the table; it must be there. Default `public`, whatever the connection's `search_path`. */
  schema?: string
  /** The table of the sessions. Default `sessions`. */
  table?: string
}

/** Either `url` or `pool`. */
export type PostgresOptions = (
  | {
      /**
       * `postgres://user:password@host:port/database`, or another form that pg reads (`postgres://user@/database?host=/folder`,
       * `socket:/folder?db=database`), with pg's parameters. `close()` ends the connections.
       */
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
  url: [
    "a URL that pg reads, such as 'postgres://user:password@localhost:5432/database', with what " +
      'encodeURIComponent makes of the password',
    (value) => typeof value === 'string' && isReadable(value),
  ],
  pool: [
    "a pg Pool: write new pg.Pool({ … }), not new pg.Client; await a promise of one; a URL is the option 'url'",
    isPool,
  ],
  ...tableRules,
  createTable: ['a boolean', isBoolean],
  namedStatements: ['a boolean', isBoolean],
}

/** In milliseconds, until `setup` says otherwise. */
const TIME_LIMIT = 5000
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
  const connections = url === undefined ? borrowPool(lent!) : openPool(url)
  const { pool } = connections
  const sql = statements(schema, table, namedStatements)
  let timeLimit = 0
  /** The server's clock less `uptime`, in milliseconds. While it is unknown every write is late. */
  let clockOffset = Number.NEGATIVE_INFINITY
  let closing: Promise<void> | undefined
  setTimeLimit(TIME_LIMIT)

  function setTimeLimit(milliseconds: number): void {
    timeLimit = milliseconds
    connections.setTimeLimit(milliseconds)
  }

  async function run(statement: Statement, ...values: unknown[]): Promise<Fields[]> {
    const start = uptime()
    if (statement.isTimed) values.push(latest(start))
    const query = new Query(statement, values, connections.endOf(statement, start))
    for (let tries = 1; ; tries++) {
      if (closing) throw new SessionStoreError('CLOSED', 'the PostgreSQL driver is closed')
      const attempt = connections.enter(query)
      if (attempt) await waitFor(attempt, start)
      try {
        const { rows } = await pool.query(query)
        connections.leave(query)
        return rows as Fields[]
      } catch (error) {
        connections.leave(query, error)
        if (tries === MAX_TRIES || !(await mayRepeat(query, error, statement, start))) throw explained(error)
      }
    }
  }

  /** Rejects where no connection is made, and where the call was given up, which must not be sent. */
  async function waitFor(attempt: Promise<void>, start: number): Promise<void> {
    await attempt.catch((error) => {
      throw explained(error)
    })
    if (uptime() >= start + timeLimit)
      throw new SessionStoreError('TIMEOUT', 'PostgreSQL could not be reached in time')
  }

  /** When a call that began at `start` is too late, in epoch seconds of the server's clock. */
  const latest = (start: number): number => (clockOffset + start + timeLimit) / 1000

  /** Whether the query did nothing for sure. A connection that broke never tells that. */
  async function mayRepeat(
    query: Query,
    error: unknown,
    statement: Statement,
    start: number,
  ): Promise<boolean> {
    if (isForgotten(error) && query.name !== undefined) query.name = undefined
    else if (isLate(error) && statement.isTimed) {
      // Either it waited for too long, or the server's clock was set.
      await askClock(sql.clock)
      query.values[query.values.length - 1] = latest(start)
    } else if (!isRace(error)) return false
    return uptime() < start + timeLimit
  }

  /** Returns the time of the server's clock, in epoch milliseconds. */
  async function askClock(statement: Statement): Promise<number> {
    const before = uptime()
    const [row] = await run(statement)
    const time = Number(row![0])
    // The clock was read in between: what is known stays where that is possible.
    clockOffset = Math.max(time - uptime(), Math.min(time - before, clockOffset))
    return time
  }

  async function put(writes: readonly Write[], now: number): Promise<string[]> {
    const answer = await run(
      sql.put[amount(writes)],
      texts(writes, keyOf),
      texts(writes, tagOf),
      texts(writes, userOf),
      scalars(writes, beginningOf),
      scalars(writes, deadlineOf),
      texts(writes, encoded),
      array(writes.filter(({ expect }) => expect === undefined).map(keyOf)),
      now,
    )
    return landedKeys(writes, answer)
  }

  async function update(writes: readonly Write[], now: number): Promise<string[]> {
    const answer = await run(
      sql.update[amount(writes)],
      texts(writes, keyOf),
      texts(writes, tagOf),
      texts(writes, userOf),
      scalars(writes, beginningOf),
      scalars(writes, deadlineOf),
      texts(writes, encoded),
      texts(writes, expectedOf),
      scalars(writes, isExtended),
      now,
    )
    return landedKeys(writes, answer)
  }

  async function send(writes: readonly Write[], now: number): Promise<string[]> {
    const updates = writes.filter(isUpdate)
    if (updates.length === writes.length) return update(writes, now)
    if (updates.length === 0) return put(writes, now)
    // Two statements side by side. In one, rows could not be locked in the order of their keys alone.
    const others = writes.filter((write) => !isUpdate(write))
    return (await Promise.all([update(updates, now), put(others, now)])).flat()
  }

  return {
    name: 'postgres',
    place: qualified(schema, table),
    async setup(limit = TIME_LIMIT) {
      setTimeLimit(limit)
      let found = await run(sql.columns, qualified(schema, table))
      if (found.length === 0 && createTable) {
        await run(sql.create)
        found = await run(sql.columns, qualified(schema, table))
      }
      if (found.length === 0)
        throw new SessionStoreError(
          'BAD_STORAGE',
          'the table is missing; make it with the SQL of ddl()',
          new Error(`there is no table ${qualified(schema, table)}`),
        )
      const types = Object.fromEntries(found)
      const wrong = Object.entries(COLUMNS).filter(([name, type]) => types[name] !== type)
      if (wrong.length > 0)
        throw new SessionStoreError(
          'BAD_STORAGE',
          "the table is not this store's; name another 'table'",
          new Error(`it lacks ${wrong.map((column) => column.join(' ')).join(', ')}`),
        )
      await askClock(sql.clock)
    },
    async read(keys) {
      const rows = await run(sql.read[amount(keys)], keys.join('\n'))
      return rows.map(toRow)
    },
    async write(writes, now) {
      const landed = await send(writes, now)
      if (landed.length === writes.length) return landed
      // A refused write whose own tag the row carries was sent twice, and landed at the first time.
      const refused = writes.filter(({ key }) => !landed.includes(key))
      const carried = await run(
        sql.carried,
        refused.map(keyOf).join('\n'),
        refused.map(tagOf).join('\n'),
        now,
      )
      return [...landed, ...keysOf(carried)]
    },
    async touch(touches, now) {
      await run(
        sql.touch[amount(touches)],
        texts(touches, keyOf),
        scalars(touches, deadlineOf),
        texts(touches, tagOf),
        now,
      )
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
    ping: () => askClock(sql.ping),
    close() {
      closing ??= connections.close()
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

/** A Client is refused: it has one connection, and holds all queries back for ever until it is told to connect. */
function isPool(value: unknown): boolean {
  return (
    typeof (value as PostgresPool | null)?.query === 'function' &&
    !('connectionParameters' in (value as object))
  )
}

const isUpdate = ({ expect }: Write): boolean => !!expect

const keyOf = ({ key }: { key: string }): string => key
const tagOf = ({ tag }: { tag?: string | undefined }): string | null => tag ?? null
const userOf = ({ user }: Write): string | null => user
const beginningOf = ({ createdAt }: Write): number => createdAt
const deadlineOf = ({ expiresAt }: { expiresAt: number }): number => expiresAt
/** No row has an empty tag. A write that expects its own has landed, or is refused. */
const expectedOf = ({ expect, tag }: Write): string => (expect === tag ? '' : expect!)
const isExtended = ({ extend }: Write): boolean => extend === true
