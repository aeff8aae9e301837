import { MongoClient as Client } from 'mongodb'

/** What the driver uses of a `MongoClient`, so that no version of it is forced. */
export interface MongoClient {
  connect(): Promise<unknown>
  db(name?: string): MongoDatabase
}

export interface MongoDatabase {
  readonly writeConcern?: { readonly w?: unknown; readonly j?: boolean; readonly wtimeout?: number }
  command(command: Record<string, unknown>, options?: object): Promise<Record<string, unknown>>
}

/** What the option `url` takes. */
export const URL_FORM = "a connection string such as 'mongodb://localhost:27017/app'"

/** The URL's own settings win. */
export function connection(url: string): Client {
  const defaults = {
    serverSelectionTimeoutMS: 4000,
    connectTimeoutMS: 3000,
    waitQueueTimeoutMS: 4000,
    // Writes that wait for a majority, each on a connection of its own, must leave some to the lookups.
    maxPoolSize: 50,
  }
  const unnamed = Object.entries(defaults).filter(([name]) => !new RegExp(`[?&]${name}=`, 'i').test(url))
  try {
    return new Client(url, Object.fromEntries(unnamed))
  } catch {
    // The client's own error may hold the URL, with the password.
    throw new TypeError(`option 'url' takes ${URL_FORM}`)
  }
}
