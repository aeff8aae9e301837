import { SessionStoreError, timers } from '@session-stores/core'
import type { Connections } from './client.ts'
import { isBroken, isForgotten, isLate, isRace, toStoreError } from './errors.ts'
import { Query } from './query.ts'
import type { Fields } from './row.ts'
import type { Statement } from './statements.ts'

const { uptime } = timers

/** The time limit until `setup` gives another one. Milliseconds. */
export const DEFAULT_TIME_LIMIT = 5000

/**
 * How often a statement is tried that conflicts with others, as it may above READ COMMITTED, or that
 * meets a connection which the server has ended.
 */
const MAX_TRIES = 20

/**
 * Sends statements within the time limit. Sends a statement again only where it may take effect
 * twice, as a read may, or where PostgreSQL says that the statement did nothing.
 */
export class Queries {
  readonly #connections: Connections
  /** The statement that reads the server's clock. */
  readonly #clock: Statement
  #timeLimit = 0
  /**
   * The server's clock minus `uptime`, in milliseconds. Every write is late while it is unknown.
   */
  #clockOffset = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined

  constructor(connections: Connections, clock: Statement) {
    this.#connections = connections
    this.#clock = clock
    this.setTimeLimit(DEFAULT_TIME_LIMIT)
  }

  /** Takes how long core waits for a call, in milliseconds. */
  setTimeLimit(timeLimit: number): void {
    this.#timeLimit = timeLimit
    this.#connections.setTimeLimit(timeLimit)
  }

  /**
   * Returns the rows of the answer. Adds the latest time to the values of a timed statement.
   *
   * @throws the `SessionStoreError` that explains the failure, or pg's own error.
   */
  run(statement: Statement, ...values: unknown[]): Promise<Fields[]> {
    return this.runSince(uptime(), statement, ...values)
  }

  /** Runs a statement of a call that began at `start`, by `uptime`: the call's time limit holds. */
  async runSince(start: number, statement: Statement, ...values: unknown[]): Promise<Fields[]> {
    if (statement.isTimed) values.push(this.#latestFor(start))
    const connections = this.#connections
    const query = new Query(statement, values, connections.deadlineOf(statement, start))
    for (let tries = 1; ; tries++) {
      if (this.#closing) throw new SessionStoreError('CLOSED', 'the PostgreSQL driver is closed')
      query.hasConnection = false
      const attempt = connections.enter(query)
      if (attempt) await this.#waitFor(attempt, start)
      try {
        const rows = await connections.send(query)
        connections.leave(query)
        return rows
      } catch (error) {
        connections.leave(query, error)
        if (tries === MAX_TRIES || !(await this.#mayResend(query, error, statement, start)))
          throw toStoreError(error)
      }
    }
  }

  /** Runs a statement that reads the server's clock, and returns its time in epoch milliseconds. */
  async readClock(statement: Statement): Promise<number> {
    const before = uptime()
    const [row] = await this.run(statement)
    const time = Number(row![0])
    // The server read its clock between `before` and now. A known offset within these bounds stays.
    this.#clockOffset = Math.max(time - uptime(), Math.min(time - before, this.#clockOffset))
    return time
  }

  close(): Promise<void> {
    this.#closing ??= this.#connections.close()
    return this.#closing
  }

  /**
   * Waits until an attempt to connect is worthwhile. Rejects where it is not, and where the call
   * was given up meanwhile, because such a call must not be sent.
   */
  async #waitFor(attempt: Promise<void>, start: number): Promise<void> {
    await attempt.catch((error) => {
      throw toStoreError(error)
    })
    if (uptime() >= start + this.#timeLimit)
      throw new SessionStoreError('TIMEOUT', 'PostgreSQL could not be reached in time')
  }

  /**
   * Returns when a call that began at `start` is too late, in epoch seconds of the server's clock.
   */
  #latestFor(start: number): number {
    return (this.#clockOffset + start + this.#timeLimit) / 1000
  }

  /**
   * Prepares the query to be sent again. Returns whether the query certainly did nothing or may take
   * effect twice, and whether there is time left. A connection that broke leaves open what a write
   * did, and the pool may hold further connections of a server that was restarted.
   */
  async #mayResend(query: Query, error: unknown, statement: Statement, start: number): Promise<boolean> {
    if (isForgotten(error) && query.name !== undefined) query.name = undefined
    else if (isLate(error) && statement.isTimed) {
      // The statement waited for too long, or the server's clock was set.
      await this.readClock(this.#clock)
      query.values[query.values.length - 1] = this.#latestFor(start)
    } else if (isBroken(error)) {
      if (statement.isWrite || !query.hasConnection) return false
    } else if (!isRace(error)) return false
    return uptime() < start + this.#timeLimit
  }
}
