import type { Driver, Row, Write } from '@session-stores/core'
import {
  type MongoReplicaSet,
  mongoProcess,
  mongoReplicaSet,
  type ProcessServer,
  type MongoOptions as ServerOptions,
} from '@session-stores/testbed'
import { sessionsAt } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import { type Collection, MongoClient, type MongoClientOptions } from 'mongodb'
import { type MongoOptions, mongoDriver } from '../../src/index.ts'
import type { Document } from '../../src/row.ts'

/** The deployments on which some tests run one after the other. */
export const deployments: [
  name: string,
  start: (options?: Pick<ServerOptions, 'args'>) => Promise<ProcessServer>,
][] = [
  ['one server', mongoProcess],
  ['a replica set', mongoReplicaSet],
]

/** Returns the URL with one more option. */
export const withOption = (url: string, option: string): string =>
  `${url}${url.includes('?') ? '&' : '?'}${option}`

/** Starts a replica set of three members. */
export const startThree = (): Promise<MongoReplicaSet> => mongoReplicaSet({ members: 3 })

let names = 0
/** Returns a name for a database or a collection that no other has. */
export const newName = (): string => `test-${++names}`

/** Returns a client that is closed after the test. */
export function clientOf(url: string, options?: MongoClientOptions): MongoClient {
  const client = new MongoClient(url, options)
  after(() => client.close())
  return client
}

/** Returns a driver that is set up, and that is closed after the test. */
export async function driverOf(options: MongoOptions): Promise<Driver> {
  const driver = mongoDriver(options)
  after(() => driver.close())
  await driver.setup()
  return driver
}

export const NOW: number = Date.now()
const rowAt = sessionsAt(NOW)
/**
 * Returns a create of a session that began at `NOW`, unless `more` says otherwise. Without data it
 * is a tombstone that always lands.
 */
export const session = (key: string, more: Partial<Write> = {}): Write =>
  rowAt(key, { expect: more.data === null ? undefined : '', ...more })

/** Returns the row that a write leaves. */
export const rowOf = ({ expect, extend, ...row }: Write): Row => row

export async function readOne(driver: Driver, key: string): Promise<Row | undefined> {
  return (await driver.read([key]))[0]
}

/** A collection, its driver, and its documents. */
interface Place {
  database: string
  collection: string
  client: MongoClient
  driver: Driver
  documents: Collection<Document>
  documentOf(key: string): Promise<Document>
}

/** Returns a function that opens a collection of its own, with access to its documents. */
export const openerFor =
  ({ url }: { url: string }) =>
  async (options: MongoClientOptions = {}): Promise<Place> => {
    const [database, collection] = [newName(), newName()]
    const client = clientOf(url, options)
    const driver = await driverOf({ client, database, collection })
    const documents = client.db(database).collection<Document>(collection)
    const documentOf = async (key: string) => (await documents.findOne({ _id: key }))!
    return { database, collection, client, driver, documents, documentOf }
  }
