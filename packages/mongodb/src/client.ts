import { MongoClient as Client } from 'mongodb'

/** The part of a `MongoClient` that the driver uses, so that any version of the client fits. */
export interface MongoClient {
  connect(): Promise<unknown>
  db(name?: string): MongoDatabase
}

/** The part of a `Db` that the driver uses. */
export interface MongoDatabase {
  readonly databaseName?: string | undefined
  readonly writeConcern?:
    | {
        readonly w?: unknown
        readonly j?: boolean | undefined
        readonly wtimeout?: number | undefined
      }
    | undefined
  command(command: Record<string, unknown>, options?: object): Promise<Record<string, unknown>>
}

/** What the option `url` takes. */
export const URL_FORM: string =
  "a connection string such as 'mongodb://localhost:27017/app'; write a password in it as " +
  'encodeURIComponent(password) returns it'

/** Whether the value can be used as a client. */
export function isClient(value: unknown): boolean {
  return ['db', 'connect'].every((name) => typeof (value as never)?.[name] === 'function')
}

/** How long the driver waits, in milliseconds. Every wait ends before the caller gives up. */
interface Limits {
  /** How long the caller waits for a call. */
  readonly timeLimit: number
  /** The wait for the first answer of a server to which a connection is opened. */
  readonly connecting: number
  /**
   * The wait for a primary or a free connection. For as long, a command that fails is sent again.
   * The waits of a write in the server, for a lock or a majority, are shorter: see `reaching`.
   */
  readonly waiting: number
  /**
   * The time in which a write must reach the server. What is then left of `timeLimit` is for its waits
   * there.
   */
  readonly reaching: number
  /** The wait for the answer to a command, which is longer than the waits of the server. */
  readonly answer: number
  /** Commands that are sent within this time are given up together. */
  readonly slice: number
}

const toLimits = (timeLimit: number, patience: number): Limits => ({
  timeLimit,
  connecting: Math.ceil(timeLimit * 0.6),
  waiting: Math.ceil(timeLimit * 0.8),
  reaching: Math.ceil(timeLimit * 0.3),
  answer: Math.ceil(timeLimit * 0.95) * patience,
  slice: Math.ceil(timeLimit * 0.05),
})

/** Where the sessions are: the database of a lent client, or of a client that the driver opens. */
export interface Source {
  readonly url?: string | undefined
  readonly client?: MongoClient | undefined
  readonly database?: string | undefined
}

/** A client, and everything that follows from the time limit. */
export class Link {
  readonly limits: Limits
  readonly client: MongoClient
  readonly db: MongoDatabase
  readonly writeConcern: object
  isConnected = false
  /** The client that the driver opened and must close. */
  readonly #own: Client | undefined

  /**
   * @param timeLimit how long core waits for a call, in milliseconds.
   * @param patience how many times as long an answer may take.
   */
  constructor({ url, client, database }: Source, timeLimit: number, patience = 1) {
    this.limits = toLimits(timeLimit, patience)
    this.#own = url === undefined ? undefined : openClient(url, this.limits)
    this.client = client ?? this.#own!
    this.db = this.client.db(database)
    const { w, j, wtimeout } = this.db.writeConcern ?? {}
    // Without a majority, a failover would undo a logout. Without `wtimeout`, writes would use up
    // all connections while there is no majority.
    this.writeConcern = { w: w || 'majority', ...(j && { j }), wtimeout: wtimeout || this.limits.waiting }
  }

  async close(): Promise<void> {
    await this.#own?.close()
  }
}

/**
 * Opens a client whose waits follow the limits, except for those that the URL sets itself.
 *
 * @throws TypeError for a URL that the client does not take.
 */
function openClient(url: string, { timeLimit, connecting, waiting, answer }: Limits): Client {
  const defaults = {
    serverSelectionTimeoutMS: waiting,
    connectTimeoutMS: connecting,
    waitQueueTimeoutMS: waiting,
    socketTimeoutMS: answer,
    // The client gives up a server that is silent for this long plus the time to connect. The
    // client takes no less than 500.
    heartbeatFrequencyMS: Math.max(500, Math.ceil(timeLimit * 0.4)),
    // Each write that waits for a majority holds a connection, and lookups need some, too.
    maxPoolSize: 50,
    // The client would send plain commands again beyond the time limit. The driver does so itself.
    retryWrites: false,
  }
  const unnamed = Object.entries(defaults).filter(([name]) => !new RegExp(`[?&]${name}=`, 'i').test(url))
  try {
    return new Client(url, Object.fromEntries(unnamed))
  } catch {
    // The client's own error may contain the URL with its password.
    throw new TypeError(`option 'url' takes ${URL_FORM}`)
  }
}
