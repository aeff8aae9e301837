import type { Driver, Row, Write } from '@session-stores/core'
import {
  mongoProcess,
  mongoReplicaSet,
  type ProcessServer,
  type MongoOptions as ServerOptions,
} from '@session-stores/testbed'
import { sessionsAt } from '@session-stores/testbed/rows'
import { after } from '@session-stores/testbed/vitest'
import { type Collection, MongoClient, type MongoClientOptions } from 'mongodb'
import { type MongoOptions, mongoDriver } from '../../src/index.ts'
import type { Document } from '../../src/statements.ts'

/** What is tested on both. */
export const makes: [
  name: string,
  start: (options?: Pick<ServerOptions, 'args'>) => Promise<ProcessServer>,
][] = [
  ['one server', mongoProcess],
  ['a replica set', mongoReplicaSet],
]

/** The URL with one more option. */
export const withOption = (url: string, option: string): string =>
  `${url}${url.includes('?') ? '&' : '?'}${option}`

let made = 0
/** Of a database or a collection. */
export const newName = (): string => `test-${++made}`

export function clientOf(url: string, options?: MongoClientOptions): MongoClient {
  const client = new MongoClient(url, options)
  after(() => client.close())
  return client
}

/** Set up, and closed after the test. */
export async function driverOf(options: MongoOptions): Promise<Driver> {
  const driver = mongoDriver(options)
  after(() => driver.close())
  await driver.setup()
  return driver
}

export const NOW: number = Date.now()
const rowAt = sessionsAt(NOW)
/** A create of a session that began at `NOW`, unless told otherwise; without data a tombstone that always lands. */
export const session = (key: string, more: Partial<Write> = {}): Write =>
  rowAt(key, { expect: more.data === null ? undefined : '', ...more })

/** The row that a write leaves. */
export const rowOf = ({ expect, extend, ...row }: Write): Row => row

export async function readOne(driver: Driver, key: string): Promise<Row | undefined> {
  return (await driver.read([key]))[0]
}

interface Place {
  database: string
  collection: string
  client: MongoClient
  driver: Driver
  documents: Collection<Document>
  documentOf(key: string): Promise<Document>
}

/** Opens a collection of its own, and shows what is in it. */
export const opener =
  ({ url }: { url: string }) =>
  async (options: MongoClientOptions = {}): Promise<Place> => {
    const [database, collection] = [newName(), newName()]
    const client = clientOf(url, options)
    const driver = await driverOf({ client, database, collection })
    const documents = client.db(database).collection<Document>(collection)
    const documentOf = async (key: string) => (await documents.findOne({ _id: key }))!
    return { database, collection, client, driver, documents, documentOf }
  }
