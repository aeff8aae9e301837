import { MongoClient as Client } from 'mongodb'

/** What the driver uses of a `MongoClient`, so that no version of it is forced. */
export interface MongoClient {
  connect(): Promise<unknown>
  db(name?: string): MongoDatabase
}

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
export const URL_FORM = "a connection string such as 'mongodb://localhost:27017/app'"

/** How long the driver waits for what, in milliseconds. All of it ends before the caller gives up. */
export interface Limits {
  /** How long the caller waits for a call. */
  readonly timeLimit: number
  /** For the answer of a server that a connection is opened to. */
  readonly connecting: number
  /** For a primary, a free connection, a majority or a lock; and how long a command is sent again. */
  readonly waiting: number
  /** For the answer to a command: a little more than for all that the server waits for. */
  readonly answer: number
  /** Commands that are sent within so short a time are given up together. */
  readonly slice: number
}

/** `timeLimit` in milliseconds; an answer may take `patience` times as long. */
export const limitsOf = (timeLimit: number, patience: number): Limits => ({
  timeLimit,
  connecting: Math.ceil(timeLimit * 0.6),
  waiting: Math.ceil(timeLimit * 0.8),
  answer: Math.ceil(timeLimit * 0.95) * patience,
  slice: Math.ceil(timeLimit * 0.05),
})

/** The URL's own settings win. Throws a `TypeError` for a URL that the client does not take. */
export function connection(url: string, { timeLimit, connecting, waiting, answer }: Limits): Client {
  const defaults = {
    serverSelectionTimeoutMS: waiting,
    connectTimeoutMS: connecting,
    waitQueueTimeoutMS: waiting,
    socketTimeoutMS: answer,
    // A server that is silent for so long, and for as long as connecting takes, is given up. The client takes no less than 500.
    heartbeatFrequencyMS: Math.max(500, Math.ceil(timeLimit * 0.4)),
    // Writes that wait for a majority, each on a connection of its own, must leave some to the lookups.
    maxPoolSize: 50,
    // The client would send plain commands again, too, beyond the time limit: the driver does that itself.
    retryWrites: false,
  }
  const unnamed = Object.entries(defaults).filter(([name]) => !new RegExp(`[?&]${name}=`, 'i').test(url))
  try {
    return new Client(url, Object.fromEntries(unnamed))
  } catch {
    // The client's own error may hold the URL, with the password.
    throw new TypeError(`option 'url' takes ${URL_FORM}`)
  }
}
