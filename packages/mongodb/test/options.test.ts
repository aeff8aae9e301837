import { inspect } from 'node:util'
import { MongoClient } from 'mongodb'
import { expect, it } from 'vitest'
import { MongoStore, mongoDriver } from '../src/index.ts'

const url = 'mongodb://localhost'
const onlyOne = new TypeError(
  "give exactly one of the options 'url' (a connection string) and 'client' (a MongoClient)",
)

it('options that are wrong are named, and the error says what they take', () => {
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

it('options that are not a client are refused with the code to write instead', () => {
  const client = new MongoClient(url)
  const wrong = [client.db(), client.db().collection('a'), Promise.resolve(client), MongoClient, url]
  for (const client of wrong as never[])
    expect(() => new MongoStore({ client })).toThrow(
      /^option 'client' takes a MongoClient: write new MongoClient\(url\) with 'mongodb', or connection.getClient\(\)/,
    )
})

it('options hold either a URL or a client', () => {
  // @ts-expect-error
  expect(() => mongoDriver({ url, client: new MongoClient(url) })).toThrow(onlyOne)
  // @ts-expect-error
  expect(() => mongoDriver({})).toThrow(onlyOne)
})

it.each(['mongodb://me:secret@localhost/?noSuchOption=1', 'mongodb://me:secret@', 'mongodb://a:secret@b@c'])(
  'options with a wrong URL are refused without its password (%#)',
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
