import { timers } from '@session-stores/core'
import type { Statement } from './statements.ts'

/** Returns every value as text, because the application may have changed pg's own parsers. */
const asText = {
  getTypeParser:
    () =>
    (value: string): string =>
      value,
}

/**
 * A query as pg takes it. Its time runs from the call of the driver, whereas pg reads
 * `query_timeout` only when it has a connection, so `query_timeout` is computed.
 */
export class Query {
  name: string | undefined
  readonly text: string
  readonly values: unknown[]
  readonly rowMode = 'array'
  readonly types: typeof asText = asText
  // pg copies all fields of a query except the private ones.
  readonly #deadline: number | undefined
  #needsConnection = false
  #hasConnection = false

  /**
   * @param deadline when the wait for the answer ends, by `uptime`; `undefined` leaves the limit to
   *   the pool.
   */
  constructor({ name, text }: Statement, values: unknown[], deadline: number | undefined) {
    this.name = name
    this.text = text
    this.values = values
    this.#deadline = deadline
  }

  /** Whether the query needs a new connection, so that its failure may be a failure to connect. */
  get needsConnection(): boolean {
    return this.#needsConnection
  }
  set needsConnection(needsConnection: boolean) {
    this.#needsConnection = needsConnection
  }

  /** Whether the last attempt got a connection, and may therefore have reached the server. */
  get hasConnection(): boolean {
    return this.#hasConnection
  }
  set hasConnection(hasConnection: boolean) {
    this.#hasConnection = hasConnection
  }

  /** When the wait for the answer ends, by `uptime`. `undefined` leaves the limit to the pool. */
  get deadline(): number | undefined {
    return this.#deadline
  }

  /** The time that is left, in milliseconds, as the pools that are lent read it. */
  get query_timeout(): number | undefined {
    this.#hasConnection = true
    return this.#deadline === undefined ? undefined : Math.max(1, Math.ceil(this.#deadline - timers.uptime()))
  }
}
