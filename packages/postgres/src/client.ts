import { timers } from '@session-stores/core'
import pg from 'pg'
import { isAnswer, isConnectFailure } from './errors.ts'
import type { Statement } from './statements.ts'

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
  /** How many connections there are. Where it is missing, fewer failures to connect are noticed. */
  readonly totalCount?: number
  /** How many connections nobody uses. Where it is missing, none counts as idle. */
  readonly idleCount?: number
  /** Of a pg `Client`, which is no pool. */
  readonly host?: undefined
}

/** Milliseconds, counted from the start of the process, whatever its clock is set to. */
export const uptime: () => number = timers.uptime

/** Shares of the time limit: for a connection, and for all that a call waits for. */
const CONNECTING = 0.6
const WAITING = 0.8
/** How many time limits core waits for a call about the whole table. */
const LONG = 12
/** How many time limits a connection may be silent where queries have no limits of their own. */
const SILENCE = 4

/** After a failed attempt to connect, no other is made for so long, in milliseconds. */
const PAUSE = 200
/** The next attempt is made, in milliseconds, after one that has not ended. */
const PATIENCE = 1000

/**
 * Keeps calls from asking a dead server for connections. After a failed attempt they fail at once,
 * for a pause. Then one call tries again, and the others wait for what becomes of its attempt.
 */
class Gate {
  #error: unknown
  #nextAttempt = 0
  #isTrying = false
  #waiting: ((error?: unknown) => void)[] = []

  get isShut(): boolean {
    return this.#error !== undefined
  }

  /** Calls back when an attempt may be made, or with the error of the last attempt where none may. */
  pass(callback: (error?: unknown) => void): void {
    const now = uptime()
    if (this.#error === undefined) callback()
    else if (now >= this.#nextAttempt) {
      this.#nextAttempt = now + PATIENCE
      this.#isTrying = true
      callback()
    } else if (this.#isTrying) this.#waiting.push(callback)
    else callback(this.#error)
  }

  /** After an attempt that failed. */
  shut(error: unknown): void {
    this.#nextAttempt = uptime() + PAUSE
    this.#end(error)
  }

  /** After an attempt that succeeded. */
  open(): void {
    this.#end()
  }

  #end(error?: unknown): void {
    this.#error = error
    this.#isTrying = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const callback of waiting) callback(error)
  }
}

/**
 * A query as pg takes it. Its time runs from the call, while pg reads `query_timeout` only when there
 * is a connection: so that is computed.
 */
export class Query {
  name: string | undefined
  readonly text: string
  readonly values: unknown[]
  readonly rowMode = 'array'
  readonly types: typeof asText = asText
  // pg copies all fields of a query but the private ones.
  readonly #end: number | undefined
  #connects = false

  /** `end`, by `uptime`, is when the wait for the answer ends; undefined: as the pool has it. */
  constructor({ name, text }: Statement, values: unknown[], end: number | undefined) {
    this.name = name
    this.text = text
    this.values = values
    this.#end = end
  }

  /** It is sent where there is no connection, so that its failure may be one to connect. */
  get connects(): boolean {
    return this.#connects
  }
  set connects(connects: boolean) {
    this.#connects = connects
  }

  /** Milliseconds. */
  get query_timeout(): number | undefined {
    return this.#end === undefined ? undefined : Math.max(1, Math.ceil(this.#end - uptime()))
  }
}

/** Where the driver sends its queries. */
export interface Connections {
  readonly pool: PostgresPool
  /** Follows the time that core waits for a call, in milliseconds. */
  setTimeLimit(timeLimit: number): void
  /** Until when, by `uptime`, a call that begins at `start` waits; undefined: as the pool has it. */
  endOf(statement: Statement, start: number): number | undefined
  /** Called before each query. Where connecting failed, the promise fulfils when it is worth a try. */
  enter(query: Query): Promise<void> | undefined
  /** Called after each query, with its error if it failed. */
  leave(query: Query, error?: unknown): void
  close(): Promise<void>
}

/** What pg reads on purpose: it would take the URL of any other database, too, for one of PostgreSQL. */
const FORM = /^(postgres(ql)?:|socket:|\/)/i

/** Whether pg itself can read the URL. */
export function isReadable(url: string): boolean {
  if (!FORM.test(url)) return false
  try {
    new pg.Client({ connectionString: url })
    return true
  } catch (error) {
    // A file that the URL names, of a certificate, may be there by the time of the first call.
    return (error as NodeJS.ErrnoException).syscall !== undefined
  }
}

/** A pool of the driver's own. */
export function openPool(url: string): Connections {
  const gate = new Gate()
  let waiting = 0
  let long = 0

  /** The gate is not before the queries, because connections that are there may go on serving. */
  class Client extends pg.Client {
    override connect(): Promise<this>
    override connect(callback: (error: Error) => void): void
    override connect(callback?: (error: Error) => void): Promise<this> | void {
      if (callback === undefined) return super.connect() as Promise<this>
      gate.pass((refusal) => {
        if (refusal !== undefined) return timers.nextTick(callback, refusal)
        super.connect((error: Error) => {
          if (error) gate.shut(error)
          else gate.open()
          callback(error)
        })
      })
    }
  }

  const pool = new pg.Pool({
    connectionString: url,
    fallback_application_name: 'session-stores',
    max: 8,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    allowExitOnIdle: true,
    Client,
  })
  // The error of an idle connection needs no answer, because the pool opens another one.
  pool.on('error', () => {})

  return {
    setTimeLimit(timeLimit) {
      waiting = timeLimit * WAITING
      long = timeLimit * LONG
      // It is read at each attempt, and for each query that waits for a connection.
      pool.options.connectionTimeoutMillis = Math.ceil(timeLimit * CONNECTING)
      // pg before 8.13 takes no time limit for a single query, and counting takes longer than others.
      pool.options.query_timeout = timeLimit * SILENCE
    },
    pool,
    endOf: ({ isLong }, start) => start + (isLong ? long : waiting),
    enter: () => undefined,
    leave() {},
    close: () => pool.end(),
  }
}

/** A pool that stays as it was lent. */
export function borrowPool(pool: PostgresPool): Connections {
  const gate = new Gate()
  let long = 0
  return {
    setTimeLimit(timeLimit) {
      long = timeLimit * LONG
    },
    endOf: ({ isLong }, start) => (isLong ? start + long : undefined),
    pool,
    enter(query) {
      query.connects = pool.totalCount === 0
      if (!gate.isShut || pool.idleCount) return undefined
      query.connects = true
      return new Promise((resolve, reject) => {
        gate.pass((error) => (error === undefined ? resolve() : reject(error)))
      })
    },
    leave(query, error) {
      if (error === undefined) {
        if (gate.isShut) gate.open()
      } else if (isConnectFailure(error) || (query.connects && !isAnswer(error))) gate.shut(error)
      else if (gate.isShut && query.connects) gate.open()
    },
    async close() {},
  }
}

/** pg's own parsers belong to the application, which may have changed them. */
const asText = {
  getTypeParser:
    () =>
    (value: string): string =>
      value,
}
