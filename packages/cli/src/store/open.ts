import { existsSync } from 'node:fs'
import { type Driver, SessionStore, type StoreOptions } from '@session-stores/core'
import type { MongoClient } from 'mongodb'
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

/** There is no table, collection or file at the place. */
export class MissingPlace extends Failure {}

/**
 * Opens the driver of the sessions. Makes no table, no collection and no file, unless it is told to:
 * a command that names the wrong place must not make an empty one.
 *
 * @throws MissingPlace where there is nothing at the place.
 */
export async function openDriver(target: Target, makesPlace = false): Promise<OpenDriver> {
  switch (target.database) {
    case 'redis': {
      const { url, prefix } = target
      const { redisDriver } = await loadPackages('redis')
      return owned(checked(() => redisDriver({ url, prefix })))
    }
    case 'postgres':
      return openPostgres(target, makesPlace)
    case 'mongodb':
      return openMongo(target, makesPlace)
    case 'sqlite':
      return openSqlite(target, makesPlace)
  }
}

const owned = (driver: Driver): OpenDriver => ({ driver, close: async () => driver.close() })

async function openPostgres(target: Target, createTable: boolean): Promise<OpenDriver> {
  const { url, schema, table, timeout } = target
  const { postgresDriver } = await loadPackages('postgres')
  // A pooler may be in between, and a few calls are not worth named statements.
  const settings = { url, schema, table, createTable, namedStatements: false }
  const driver = checked(() => postgresDriver(settings))
  try {
    await driver.setup(timeout)
  } catch (error) {
    await driver.close()
    if (/^there is no table/.test(((error as Error).cause as Error | undefined)?.message ?? ''))
      throw missing(target, 'table', '--schema and --table')
    throw error
  }
  return owned(driver)
}

async function openMongo(target: Target, makesPlace: boolean): Promise<OpenDriver> {
  const { mongoDatabase: database, collection } = target
  const { mongoDriver } = await loadPackages('mongodb')
  const client = await makeMongoClient(target)
  const driver = checked(() => mongoDriver({ client, database, collection }))
  try {
    await client.connect()
    const found = await client
      .db(database)
      .listCollections({ name: collection }, { nameOnly: true, authorizedCollections: true })
      .toArray()
    if (found.length === 0 && !makesPlace) throw missing(target, 'collection', '--database and --collection')
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

/** Makes a client whose waits end within the time limit. */
async function makeMongoClient({ url, timeout }: Pick<Target, 'url' | 'timeout'>): Promise<MongoClient> {
  const { MongoClient } = await loadPackages('mongodb')
  const limits = {
    serverSelectionTimeoutMS: timeout * 0.8,
    connectTimeoutMS: timeout * 0.6,
    waitQueueTimeoutMS: timeout * 0.8,
    socketTimeoutMS: timeout,
  }
  return checked(() => new MongoClient(url, limits))
}

/** Connects a client whose waits end within the time limit. */
export async function connectMongo(target: Pick<Target, 'url' | 'timeout'>): Promise<MongoClient> {
  const client = await makeMongoClient(target)
  try {
    return await client.connect()
  } catch (error) {
    await client.close()
    throw error
  }
}

async function openSqlite(target: Target, makesPlace: boolean): Promise<OpenDriver> {
  const { url, table } = target
  const { sqliteDriver, Database } = await loadPackages('sqlite')
  // The driver makes a file that nobody else may read.
  if (makesPlace) return owned(checked(() => sqliteDriver({ path: url, table })))
  checkFile(url)
  const database = new Database(url, { fileMustExist: true, timeout: 10 })
  try {
    const exists = database
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
      .get(table)
    if (exists === undefined) throw missing(target, 'table', '--table')
    const driver = checked(() => sqliteDriver({ database, table }))
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
  if (!existsSync(path)) throw new MissingPlace(`There is no file ${path}.`)
}

const missing = (target: Target, what: string, options: string): MissingPlace =>
  new MissingPlace(`There is no such ${what}: ${placeOf(target)}. Name another one with ${options}.`)

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
