import type { Express } from 'express'
import session, { type SessionData } from 'express-session'
import type {} from '../child/sessions.ts'

/** The place where a subject keeps its sessions. No other subject uses it. */
export interface Place {
  folder: string
  /** The URLs of the server: several for a cluster, none without a server. */
  urls: readonly string[]
}

/** A store that is ready to be measured. */
export interface Subject {
  store: session.Store
  /** Is called once between the filling and the first measurement. */
  settle?(): void
  /**
   * Returns a function that finds out who sent the request of the session at this position, as a
   * measured operation.
   */
  makeVerify?(ids: readonly string[]): Promise<(position: number) => Promise<string>>
  /** Makes the application of scenarios over HTTP, in place of the usual one. */
  makeApplication?(): Express
  /** Removes expired sessions, if the package can do so on demand. */
  prune?(): Promise<unknown>
}

/**
 * Opens a subject in the process that measures it. The process ends without closing the subject.
 */
export type Open = (place: Place) => Promise<Subject>

/** The subjects of a database by their ids. */
export type Subjects = Readonly<Record<string, Open>>

/** A key for this project's stores that seal sessions. */
export const SEAL: { keys: string[] } = { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] }

/** The settings for production of docs: a request that changes nothing seldom asks the database. */
export const NEAR: { freshness: number; touchAfter: number } = { freshness: 1000, touchAfter: 60_000 }

/** The option `user` of this project's stores. */
export const user = (data: SessionData): string => data.user

/** The basic operations of a database's bare client, one command each. */
export interface BareClient {
  read(id: string): Promise<string | null | undefined>
  /** @param deadline in epoch milliseconds */
  write(id: string, text: string, deadline: number): Promise<unknown>
  touch(id: string, deadline: number): Promise<unknown>
  remove(id: string): Promise<unknown>
}

/** The minimal store on a bare client: no checks, no retries, no limits, and ids as they are. */
export class Floor extends session.Store {
  readonly #client: BareClient

  constructor(client: BareClient) {
    super()
    this.#client = client
  }

  override get(id: string, done: (error: unknown, data?: SessionData | null) => void): void {
    settle(
      this.#client.read(id).then((text) => (text ? JSON.parse(text) : null)),
      done,
    )
  }

  override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    settle(this.#client.write(id, JSON.stringify(data), deadlineOf(data)), done)
  }

  override touch(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    settle(this.#client.touch(id, deadlineOf(data)), done)
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    settle(this.#client.remove(id), done)
  }
}

const deadlineOf = ({ cookie }: SessionData): number => new Date(cookie.expires!).getTime()

/** Passes the result to the callback. An error of the callback must not reject the promise. */
function settle<T>(promise: Promise<T>, done: (error: unknown, value?: T) => void = () => {}): void {
  promise.then(
    (value) => process.nextTick(done, null, value),
    (error) => process.nextTick(done, error),
  )
}
