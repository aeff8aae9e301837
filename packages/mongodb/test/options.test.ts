import { inspect } from 'node:util'
import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { MongoStore, mongoDriver } from '../src/index.ts'

const url = 'mongodb://localhost'

it('that are wrong are named, with what they take', () => {
  // @ts-expect-error
  expect(() => new MongoStore({ uri: url })).toThrow(/unknown option 'uri'.* url, client, database/)
  for (const wrong of ['localhost:27017', 'http://localhost', 'mongodb://', { $gt: '' }] as string[])
    expect(() => mongoDriver({ url: wrong })).toThrow("option 'url' takes a connection string such as")
  // @ts-expect-error
  expect(() => mongoDriver({ client: url })).toThrow("option 'client' takes a MongoClient")
  for (const database of ['', 'a.b', 'a b', 'a$b', 'a\0b', 'x'.repeat(64), { $ne: '' }] as string[])
    expect(() => mongoDriver({ url, database })).toThrow("option 'database' takes")
  for (const collection of ['', 'a$b', 'a\0b', '.a', 'system.users', { $ne: '' }] as string[])
    expect(() => mongoDriver({ url, collection })).toThrow("option 'collection' takes")
  expect(() => new MongoStore({ url, maxPayload: 16 * 1024 * 1024 })).toThrow(
    "option 'maxPayload' takes at most",
  )
  expect(() => new MongoStore({ url, idleTimeout: -1 })).toThrow("option 'idleTimeout' takes")
})

it('that are no client are told from one, with what to write', () => {
  const client = new MongoClient(url)
  const wrong = [client.db(), client.db().collection('a'), Promise.resolve(client), MongoClient, url]
  for (const client of wrong as never[])
    expect(() => new MongoStore({ client })).toThrow(
      /^option 'client' takes a MongoClient: write new MongoClient\(url\) with 'mongodb', or connection.getClient\(\)/,
    )
})

it('are either a URL or a client', () => {
  // @ts-expect-error
  expect(() => mongoDriver({ url, client: new MongoClient(url) })).toThrow(TypeError)
  // @ts-expect-error
  expect(() => mongoDriver({})).toThrow(TypeError)
})

it.each(['mongodb://me:secret@localhost/?noSuchOption=1', 'mongodb://me:secret@', 'mongodb://a:secret@b@c'])(
  'hold a URL that cannot be taken: nothing is said of its password',
  (wrong) => {
    let error: unknown
    try {
      mongoDriver({ url: wrong })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TypeError)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/secret/)
  },
)
