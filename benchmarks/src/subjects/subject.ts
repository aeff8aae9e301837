import session, { type SessionData } from 'express-session'

/** Where a subject keeps its sessions: its own alone. */
export interface Place {
  folder: string
  /** Of its server; several for a cluster, none where there is no server. */
  urls: readonly string[]
}

/** A store that is ready to be measured. */
export interface Subject {
  store: session.Store
  /** Called once, between the filling and the first measurement. */
  settle?(): void
  /** Removes what has expired, where the package can be told to. */
  prune?(): Promise<unknown>
}

/** Opens a subject; in the process that measures it, which ends without closing it. */
export type Open = (place: Place) => Promise<Subject>

/** The subjects of a database by their ids. */
export type Subjects = Readonly<Record<string, Open>>

/** For stores of ours that seal; any will do. */
export const SEAL: { keys: string[] } = { keys: ['wU7Jv0ZrQm4Tn2bXc8Kd5Lh1Ys9Gf3Ea6Pq0Ri7OtDk'] }

/** One command each of a database's bare client. */
export interface BareClient {
  read(id: string): Promise<string | null | undefined>
  /** `deadline` in epoch milliseconds. */
  write(id: string, text: string, deadline: number): Promise<unknown>
  touch(id: string, deadline: number): Promise<unknown>
  remove(id: string): Promise<unknown>
}

/** The least that keeps a session: no checks, no retries, no bound on time or size, ids as they are. */
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

/** What the callback throws is not the promise's. */
function settle<T>(promise: Promise<T>, done: (error: unknown, value?: T) => void = () => {}): void {
  promise.then(
    (value) => process.nextTick(done, null, value),
    (error) => process.nextTick(done, error),
  )
}
