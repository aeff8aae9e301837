import { existsSync } from 'node:fs'
import { type Driver, SessionStore, type StoreOptions } from '@session-stores/core'
import { Failure } from '../failure.ts'
import { redact } from '../secrets.ts'
import { loadPackages } from './packages.ts'
import { placeOf, type Target } from './target.ts'

/** A driver, and how to close what it was lent. */
export interface OpenDriver {
  readonly driver: Driver
  close(): Promise<void>
}

/** A store of a command. */
export interface OpenStore {
  readonly store: SessionStore
  close(): Promise<void>
}

/**
 * Opens the driver of the sessions. Makes no table, no collection and no file: a command that names
 * the wrong place must not make an empty one.
 *
 * @throws Failure where there is nothing at the place.
 */
export async function openDriver(target: Target): Promise<OpenDriver> {
  const { url, prefix, schema, table } = target
  switch (target.database) {
    case 'redis': {
      const { redisDriver } = await loadPackages('redis')
      const driver = checked(() => redisDriver({ url, prefix }))
      return { driver, close: async () => driver.close() }
    }
    case 'postgres': {
      const { postgresDriver } = await loadPackages('postgres')
      // A pooler may be in between, and a few calls are not worth named statements.
      const driver = checked(() =>
        postgresDriver({ url, schema, table, createTable: false, namedStatements: false }),
      )
      return { driver, close: async () => driver.close() }
    }
    case 'mongodb':
      return openMongo(target)
    case 'sqlite':
      return openSqlite(target)
  }
}

async function openMongo(target: Target): Promise<OpenDriver> {
  const { url, mongoDatabase: database, collection, timeout } = target
  const { mongoDriver, MongoClient } = await loadPackages('mongodb')
  const limits = {
    serverSelectionTimeoutMS: timeout * 0.8,
    connectTimeoutMS: timeout * 0.6,
    waitQueueTimeoutMS: timeout * 0.8,
    socketTimeoutMS: timeout * 0.95,
  }
  const client = checked(() => new MongoClient(url, limits))
  try {
    await client.connect()
    const found = await client
      .db(database)
      .listCollections({ name: collection }, { nameOnly: true, authorizedCollections: true })
      .toArray()
    if (found.length === 0) throw missing(target, 'collection', '--database and --collection')
    const driver = mongoDriver({ client, database, collection })
    return {
      driver,
      async close() {
        await driver.close()
        await client.close()
      },
    }
  } catch (error) {
    await client.close()
    throw error
  }
}

async function openSqlite(target: Target): Promise<OpenDriver> {
  const { url, table } = target
  checkFile(url)
  const { sqliteDriver, Database } = await loadPackages('sqlite')
  const database = new Database(url, { fileMustExist: true, timeout: 10 })
  try {
    // Another process may hold the lock right now, and a reader of the catalog needs none for long.
    const exists = database
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
      .get(table)
    if (exists === undefined) throw missing(target, 'table', '--table')
    const driver = sqliteDriver({ database, table })
    return {
      driver,
      async close() {
        await driver.close()
        database.close()
      },
    }
  } catch (error) {
    database.close()
    throw error
  }
}

/** @throws Failure where there is no such file, because SQLite would make it. */
export function checkFile(path: string): void {
  if (!existsSync(path)) throw new Failure(`There is no file ${path}.`)
}

const missing = (target: Target, what: string, options: string): Failure =>
  new Failure(`There is no such ${what}: ${placeOf(target)}. Name another one with ${options}.`)

/** Options that a driver or a client refuses are mistakes of the command line. */
function checked<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new Failure(redact(`The store refuses this: ${(error as Error).message}`))
  }
}

/** What stands for the data of each session. */
const HIDDEN = '{"cookie":{}}'

/**
 * Returns a driver that never hands out what is in a session. A command that lists or ends sessions
 * needs neither their data, nor the keys of their seals, nor the serializer of the application.
 */
function withoutData(driver: Driver): Driver {
  return {
    ...driver,
    async read(keys) {
      const rows = await driver.read(keys)
      return rows.map((row) => (row.data === null ? row : { ...row, data: HIDDEN }))
    },
  }
}

/** Opens a store that lists and ends sessions, and never looks into them. */
export async function openStore(target: Target, options: StoreOptions = {}): Promise<OpenStore> {
  const { driver, close } = await openDriver(target)
  const store = new SessionStore(withoutData(driver), {
    pruneInterval: false,
    operationTimeout: target.timeout,
    hashIds: !target.plainIds,
    // Whose a session is says its row. The option has to be there, so that users can be asked for.
    user: () => undefined,
    ...options,
  })
  return {
    store,
    async close() {
      await store.close()
      await close()
    },
  }
}
