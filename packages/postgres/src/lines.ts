import { timers } from '@session-stores/core'
import type pg from 'pg'
import type { Query } from './query.ts'
import type { Fields } from './row.ts'
import { type Answer, Submission } from './submission.ts'

const { clearTimeout, setTimeout, uptime } = timers

/** How long a connection without work is kept from the pool, in milliseconds, and up to twice. */
const KEPT = 1000

/**
 * Keeps the connections of a pool for a moment after each query, because to take a connection from
 * a pool and to return it costs as much as a query. Whoever waits for a connection has precedence:
 * the pool gets the next connection that is free. A query that gets no answer in time ends its
 * connection.
 */
export class Lines {
  readonly #pool: pg.Pool
  #free: Line[] = []
  /** How many of the free connections had no work since `#sweep` looked last. */
  #unused = 0
  #timer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  /** Returns the rows of the answer. The wait for them ends at the deadline of the query. */
  query(query: Query): Promise<Fields[]> {
    const line = this.#free.pop()
    if (line === undefined) return this.#connect(query)
    if (this.#unused > this.#free.length) this.#unused = this.#free.length
    line.client.ref()
    return this.#run(line, query)
  }

  /** Resolves when the queries on their way are answered and all connections have ended. */
  close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#closing ??= this.#pool.end()
    for (const line of this.#free.splice(0)) line.release()
    return this.#closing
  }

  #connect(query: Query): Promise<Fields[]> {
    return new Promise((resolve, reject) => {
      // A promise would come too late: the connection may fail in the turn in which the pool gives it.
      this.#pool.connect((error, client) => {
        if (client === undefined) return reject(error)
        const line = new Line(client as HeldClient, (failed) => this.#drop(failed))
        if (uptime() < query.deadline!) return resolve(this.#run(line, query))
        line.release()
        reject(toTimeout())
      })
    })
  }

  #run(line: Line, query: Query): Promise<Fields[]> {
    query.hasConnection = true
    return new Promise((resolve, reject) => {
      line.send(query, (error, rows) => {
        if (error != null) {
          line.release(error)
          reject(error)
        } else {
          this.#keep(line)
          resolve(rows!)
        }
      })
    })
  }

  #keep(line: Line): void {
    if (this.#closing || this.#pool.waitingCount > 0) return line.release()
    // A connection without work does not keep the process alive.
    line.client.unref()
    this.#free.push(line)
    this.#timer ??= setTimeout(this.#sweep, KEPT).unref()
  }

  /** Returns the connections to the pool that had no work since the last time. */
  #sweep = (): void => {
    for (const line of this.#free.splice(0, this.#unused)) line.release()
    this.#unused = this.#free.length
    this.#timer = this.#unused > 0 ? setTimeout(this.#sweep, KEPT).unref() : undefined
  }

  /** Removes a connection that failed while it had no work. */
  #drop(line: Line): void {
    const place = this.#free.indexOf(line)
    if (place < 0) return
    this.#free.splice(place, 1)
    if (place < this.#unused) this.#unused--
  }
}

type HeldClient = pg.PoolClient & { ref(): void; unref(): void }

/** A connection that is taken from the pool, with at most one query on its way. */
class Line {
  readonly client: HeldClient
  readonly #dropped: (line: Line) => void
  #answer: Answer | undefined
  /** When the wait for the answer ends, by `uptime`. */
  #deadline = 0
  /** One timer serves many queries. It may fire before the deadline of a later one. */
  #timer: NodeJS.Timeout | undefined
  #firesAt = Number.POSITIVE_INFINITY

  constructor(client: HeldClient, dropped: (line: Line) => void) {
    this.client = client
    this.#dropped = dropped
    client.on('error', this.#fail)
  }

  send(query: Query, answer: Answer): void {
    const deadline = query.deadline!
    this.#answer = answer
    this.#deadline = deadline
    if (this.#firesAt > deadline) this.#fireAt(deadline)
    this.client.query(new Submission(query, (error, rows) => this.#finish(answer, error, rows)))
  }

  /** Returns the connection to the pool, which ends a connection that failed. */
  release(error?: unknown): void {
    clearTimeout(this.#timer)
    this.client.removeListener('error', this.#fail)
    // The process must not end while the pool ends the connection.
    this.client.ref()
    this.client.release(error as Error | undefined)
  }

  /** Answers once: pg may report the error of a connection several times. */
  #finish(answer: Answer, error: unknown, rows?: Fields[]): void {
    if (this.#answer !== answer) return
    this.#answer = undefined
    answer(error, rows)
  }

  #fireAt(deadline: number): void {
    clearTimeout(this.#timer)
    this.#firesAt = deadline
    this.#timer = setTimeout(this.#check, Math.max(1, Math.ceil(deadline - uptime()))).unref()
  }

  #check = (): void => {
    this.#firesAt = Number.POSITIVE_INFINITY
    if (this.#answer === undefined) return
    if (uptime() < this.#deadline) this.#fireAt(this.#deadline)
    else this.#finish(this.#answer, toTimeout())
  }

  #fail = (error: Error): void => {
    if (this.#answer !== undefined) return this.#finish(this.#answer, error)
    this.#dropped(this)
    this.release(error)
  }
}

const toTimeout = (): Error => new Error('Query read timeout')
