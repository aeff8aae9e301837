import { mongoProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { type Document, MaxKey, MinKey, MongoClient, ObjectId } from 'mongodb'
import { afterAll, expect, it } from 'vitest'
import { MongoStore } from '../src/index.ts'
import { clientOf, newName } from './support/servers.ts'

/**
 * Objects that parsers of queries and of JSON make, and objects that the client treats specially.
 */
const objects: unknown[] = [
  ...[
    { $gt: '' },
    { $ne: null },
    { $where: 'sleep(1000)' },
    { $regex: '.*' },
    { $in: [''] },
    ['a'],
    { a: 'b' },
  ],
  ...[
    { _bsontype: 'ObjectId', id: 'abcdefabcdef' },
    { _bsontype: 'Code', code: 'x' },
    { _bsontype: 'MinKey' },
  ],
  ...[new ObjectId(), new MinKey(), new MaxKey(), /./, new Date(), Buffer.from('a'), true, new String('a')],
]

/** Session data with names that mean something to MongoDB. */
const data = {
  $set: { admin: true },
  'user.name': 1,
  $where: 'sleep(1000)',
  _bsontype: 'ObjectId',
  nested: { _bsontype: 'Code', code: 'x', 'a.b': [{ $ne: 1 }], '': 0, 'a\0b': 1 },
  toBSON: 'text',
}
/** Ids and user ids that mean something to MongoDB. */
const texts = ['$where', '$$ROOT', '$data', '{"$gt":""}', '_bsontype', 'a.b', '__proto__', '$']

describeWith('input from outside', mongoProcess, ({ url }) => {
  const observer = new MongoClient(url)
  afterAll(() => observer.close())

  function open(options: { hashIds?: boolean } = {}) {
    const client = clientOf(url, { monitorCommands: true })
    const commands: Document[] = []
    client.on('commandStarted', ({ command }) => commands.push(command))
    const user = (session: object) => (session as { user?: string }).user
    const [database, collection] = [newName(), newName()]
    const store = new MongoStore({ client, database, collection, user, pruneInterval: false, ...options })
    after(() => store.close())
    return { store, commands, documents: observer.db(database).collection(collection) }
  }
  const session = (more: object) => ({ cookie: { originalMaxAge: null, path: '/' }, ...more }) as never

  it.each(objects.map((object) => [object]))('that is %o gets into no command', async (object) => {
    const { store, commands } = open()
    await store.set('an-id', session({ user: 'ada' }))
    commands.length = 0
    const bad = object as never
    const refused: [code: string, call: () => Promise<unknown>][] = [
      ['INVALID_ID', () => store.get(bad)],
      ['INVALID_ID', () => store.destroy(bad)],
      ['INVALID_ID', () => store.revoke(bad)],
      ['INVALID_ID', () => store.set(bad, session({}))],
      ['INVALID_ID', () => store.touch(bad, session({}))],
      ['INVALID_ID', () => store.revokeUser('ada', { except: bad })],
      ['INVALID_USER', () => store.list({ user: bad })],
      ['INVALID_USER', () => store.revokeUser(bad)],
      ['INVALID_USER', () => store.revoke(store.handle('an-id'), { user: bad })],
      ['INVALID_USER', () => store.set('another', session({ user: object }))],
      ['INVALID_QUERY', () => store.list({ after: bad })],
      ['INVALID_QUERY', () => store.list({ limit: bad })],
    ]
    for (const [code, call] of refused)
      await expect((async () => call())(), String(call)).rejects.toMatchObject({ code })
    expect(commands).toEqual([])
    expect(await store.length()).toBe(1)
  })

  it.each([true, false])('is only text to MongoDB (hashIds: %s)', async (hashIds) => {
    const { store, commands, documents } = open({ hashIds })
    for (const text of texts) {
      await store.set(text, session({ ...data, user: text }))
      await store.touch(text, session({ ...data, user: text }))
      const found = await store.get(text)
      expect(found).toMatchObject({ ...data, user: text })
      await store.set(text, found!)
      expect((await store.list({ user: text })).sessions).toMatchObject([
        { session: { ...data, user: text } },
      ])
    }
    for await (const document of documents.find())
      expect(Object.keys(document).sort()).toEqual(
        ['_id', 'createdAt', 'data', 'expiresAt', 'purgeAt', 'tag', 'user'].sort(),
      )
    const fields = new Set(JSON.stringify(commands).match(/"[^"\\]*"(?=:)/g))
    for (const key of ['$where', '_bsontype', 'user.name', 'nested'])
      expect([...fields]).not.toContain(JSON.stringify(key))
    expect(await store.revokeUser('$where')).toBe(1)
    expect(await store.length()).toBe(texts.length - 1)
  })
})
