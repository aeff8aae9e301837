import { refuseFragment, timers } from '@session-stores/core'
import pg from 'pg'
import { isAnswer, isConnectFailure } from './errors.ts'
import { closeOnGarbage } from './garbage.ts'
import { Gate } from './gate.ts'
import { Lines } from './lines.ts'
import type { Query } from './query.ts'
import type { Fields } from './row.ts'
import type { Statement } from './statements.ts'

/** The part of a pg `Pool` that the driver uses, so that any version of pg fits. */
export interface PostgresPool {
  query(query: {
    name?: string
    text: string
    values: unknown[]
    query_timeout?: number
    rowMode: 'array'
    types: { getTypeParser(): (value: string) => string }
  }): Promise<{ rows: unknown[] }>
  /**
   * The number of connections. Where it is missing, the driver notices fewer failures to connect.
   */
  readonly totalCount?: number
  /** The number of connections that nobody uses. Where it is missing, none counts as idle. */
  readonly idleCount?: number
  /** Only a pg `Client` has a host, and a `Client` is not a pool. */
  readonly host?: undefined
}

/** The longest wait for a connection, as a share of the time limit. */
const CONNECTING = 0.6
/** The longest wait for a connection and the answer together, as a share of the time limit. */
const WAITING = 0.8
/** Core waits this many time limits for a call about the whole table. */
const LONG = 12
/** Where the driver sends its queries. */
export interface Connections {
  /** Takes the time that core waits for a call, in milliseconds. */
  setTimeLimit(timeLimit: number): void
  /**
   * Returns when the wait of a call that begins at `start` ends, both by `uptime`; `undefined`
   * leaves the limit to the pool.
   */
  deadlineOf(statement: Statement, start: number): number | undefined
  /**
   * Must be called before each query. While no connection can be made, the promise resolves when an
   * attempt is worthwhile, and otherwise rejects with the last error.
   */
  enter(query: Query): Promise<void> | undefined
  /** Sends the query, and returns the rows of its answer. */
  send(query: Query): Promise<Fields[]>
  /** Must be called after each query, with its error if it failed. */
  leave(query: Query, error?: unknown): void
  close(): Promise<void>
}

/** How URLs for pg begin. pg itself would also take the URL of another database. */
const FORM = /^(postgres(ql)?:|socket:|\/)/i

/** Whether pg itself can read the URL. Returns what is wrong where it can say more. */
export function isReadable(url: string): boolean | string {
  if (!FORM.test(url)) return false
  const refusal = /^postgres/i.test(url) ? refuseFragment(url) : undefined
  if (refusal !== undefined) return refusal
  try {
    new pg.Client({ connectionString: url })
    return true
  } catch (error) {
    // The URL may name the file of a certificate that exists only by the time of the first call.
    return (error as NodeJS.ErrnoException).syscall !== undefined
  }
}

/**
 * Whether the value can be used as a pool. A pg `Client` is refused, because it has one connection
 * and holds back all queries until it is told to connect.
 */
export function isPool(value: unknown): boolean {
  return (
    typeof (value as PostgresPool | null)?.query === 'function' &&
    !('connectionParameters' in (value as object))
  )
}

/** A pool that the driver opens and closes. */
export class OwnPool implements Connections {
  readonly #pool: pg.Pool
  readonly #lines: Lines
  #waiting = 0
  #long = 0

  constructor(url: string) {
    this.#pool = new pg.Pool({
      connectionString: url,
      fallback_application_name: 'session-stores',
      max: 8,
      idleTimeoutMillis: 30_000,
      keepAlive: true,
      allowExitOnIdle: true,
      Client: gatedClient(new Gate()),
    })
    // The pool replaces an idle connection that fails, so nothing has to be done about its error.
    this.#pool.on('error', () => {})
    this.#lines = new Lines(this.#pool)
  }

  setTimeLimit(timeLimit: number): void {
    this.#waiting = timeLimit * WAITING
    this.#long = timeLimit * LONG
    // pg reads this option at each attempt, and for each query that waits for a connection.
    this.#pool.options.connectionTimeoutMillis = Math.ceil(timeLimit * CONNECTING)
  }

  deadlineOf({ isLong }: Statement, start: number): number {
    return start + (isLong ? this.#long : this.#waiting)
  }

  enter(): undefined {}

  send(query: Query): Promise<Fields[]> {
    return this.#lines.query(query)
  }

  leave(): void {}

  close(): Promise<void> {
    return this.#lines.close()
  }
}

/**
 * Returns a pg `Client` whose attempts to connect pass the gate. Queries do not pass the gate,
 * because connections that are open may go on serving.
 */
function gatedClient(gate: Gate): typeof pg.Client {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config)
      closeOnGarbage(this)
    }

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
}

/** A pool that the application lends. Its options stay as they are, and it stays open. */
export class LentPool implements Connections {
  readonly #pool: PostgresPool
  readonly #gate = new Gate()
  #long = 0

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  setTimeLimit(timeLimit: number): void {
    this.#long = timeLimit * LONG
  }

  deadlineOf({ isLong }: Statement, start: number): number | undefined {
    return isLong ? start + this.#long : undefined
  }

  enter(query: Query): Promise<void> | undefined {
    query.needsConnection = this.#pool.totalCount === 0
    if (!this.#gate.isShut || this.#pool.idleCount) return undefined
    query.needsConnection = true
    return new Promise((resolve, reject) => {
      this.#gate.pass((error) => (error === undefined ? resolve() : reject(error)))
    })
  }

  async send(query: Query): Promise<Fields[]> {
    return (await this.#pool.query(query)).rows as Fields[]
  }

  leave(query: Query, error?: unknown): void {
    const gate = this.#gate
    if (error === undefined) {
      if (gate.isShut) gate.open()
    } else if (isConnectFailure(error) || (query.needsConnection && !isAnswer(error))) gate.shut(error)
    else if (gate.isShut && query.needsConnection) gate.open()
  }

  async close(): Promise<void> {}
}
