import { inspect } from 'node:util'
import type { Driver, Row, Write } from '@session-stores/core'
import { mongoProcess, mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { type Document, MongoClient, type MongoClientOptions } from 'mongodb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type MongoOptions, MongoStore, mongoDriver } from '../src/index.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

let made = 0
const newName = (): string => `test-${++made}`

function clientOf(url: string, options?: MongoClientOptions): MongoClient {
  const client = new MongoClient(url, options)
  undo.push(() => client.close())
  return client
}

async function driverOf(options: MongoOptions): Promise<Driver> {
  const driver = mongoDriver(options)
  undo.push(() => driver.close())
  await driver.setup()
  return driver
}

const NOW = Date.now()
const HOUR = 3_600_000
const session = (key: string, more: Partial<Write> = {}): Write => ({
  key,
  data: '{}',
  tag: 'tag',
  user: null,
  createdAt: NOW,
  expiresAt: NOW + HOUR,
  ...more,
})
const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `key-${String(i).padStart(6, '0')}`)

async function readOne(driver: Driver, key: string): Promise<Row | undefined> {
  return (await driver.read([key]))[0]
}

/** What the call fails with. Nothing in it, nor in what it was caused by, may hold a payload or a password. */
async function failed(call: unknown): Promise<unknown> {
  const error = await Promise.resolve(call).then(
    () => expect.fail('it does not fail'),
    (error: unknown) => error,
  )
  expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/secret/)
  return error
}

describe('options', () => {
  it('names the option that is wrong, and what it takes', () => {
    const url = 'mongodb://localhost'
    // @ts-expect-error
    expect(() => new MongoStore({ uri: url })).toThrow(/unknown option 'uri'.* url, client, database/)
    for (const wrong of ['localhost:27017', 'http://localhost', 'mongodb://'])
      expect(() => mongoDriver({ url: wrong })).toThrow("option 'url' takes a connection string such as")
    // @ts-expect-error
    expect(() => mongoDriver({ client: url })).toThrow("option 'client' takes a MongoClient")
    for (const database of ['', 'a.b', 'a b', 'a$b', 'a\0b', 'x'.repeat(64)])
      expect(() => mongoDriver({ url, database })).toThrow("option 'database' takes")
    for (const collection of ['', 'a$b', 'a\0b', '.a', 'system.users'])
      expect(() => mongoDriver({ url, collection })).toThrow("option 'collection' takes")
    expect(() => new MongoStore({ url, idleTimeout: -1 })).toThrow("option 'idleTimeout' takes")
  })

  it('takes either a URL or a client', () => {
    const url = 'mongodb://localhost'
    // @ts-expect-error
    expect(() => mongoDriver({ url, client: clientOf(url) })).toThrow(TypeError)
    // @ts-expect-error
    expect(() => mongoDriver({})).toThrow(TypeError)
  })

  it.each([
    'mongodb://me:secret@localhost/?noSuchOption=1',
    'mongodb://me:secret@',
    'mongodb://a:secret@b@c',
  ])('says nothing of the password in a URL that it cannot take', async (url) => {
    const error = await failed(Promise.resolve().then(() => mongoDriver({ url })))
    expect(error).toBeInstanceOf(TypeError)
  })
})

describeWith(
  'one server',
  () => mongoProcess({ args: ['--setParameter', 'ttlMonitorSleepSecs=1'] }),
  (server) => {
    /** A collection of its own, and what is in it. */
    async function open(options: MongoClientOptions = {}) {
      const [database, collection] = [newName(), newName()]
      const client = clientOf(server.url, options)
      const driver = await driverOf({ client, database, collection })
      const documents = client.db(database).collection<Document & { _id: string }>(collection)
      const documentOf = async (key: string) => (await documents.findOne({ _id: key }))!
      return { database, collection, client, driver, documents, documentOf }
    }

    describe('the connection', () => {
      it('is made of the URL, whose database it takes, and made again by another store', async () => {
        const [name, collection] = [newName(), newName()]
        const url = `${server.url}${name}`
        const cookie = { originalMaxAge: HOUR, path: '/' }
        const first = new MongoStore({ url, collection, pruneInterval: false })
        await first.set('the-id', { cookie, name: 'Ada' } as never)
        await Promise.all([first.close(), first.close()])
        const second = new MongoStore({ url, collection, pruneInterval: false })
        undo.push(() => second.close())
        expect(await second.get('the-id')).toMatchObject({ name: 'Ada' })
        expect(await clientOf(server.url).db(name).collection(collection).countDocuments()).toBe(1)
      })

      it('is closed with the driver, and stays closed', async () => {
        const driver = mongoDriver({ url: server.url, collection: newName() })
        await driver.setup()
        await driver.close()
        expect(await failed(driver.ping())).toMatchObject({ code: 'CLOSED' })
        expect(await failed(driver.setup())).toMatchObject({ code: 'CLOSED' })
      })

      it('that was lent is connected where it is not yet, and left open', async () => {
        const { client, driver } = await open()
        await driver.write([session('a')], NOW)
        await driver.close()
        expect(await failed(driver.read(['a']))).toMatchObject({ code: 'CLOSED' })
        expect(await client.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 })
      })

      it('that was lent and closed is UNAVAILABLE', async () => {
        const { client, driver } = await open()
        await client.close()
        expect(await failed(driver.ping())).toMatchObject({ code: 'UNAVAILABLE' })
      })

      it.each<MongoClientOptions>([
        { promoteValues: false, promoteBuffers: true },
        { useBigInt64: true },
        { promoteLongs: false },
        { raw: true },
        { ignoreUndefined: true, readPreference: 'secondary', retryWrites: false },
      ])('that was lent may be set to %o', async (options) => {
        const { driver } = await open(options)
        const row = session('a', { user: 'u', expiresAt: 8.64e15 })
        expect(await driver.write([row, session('b')], NOW)).toEqual(['a', 'b'])
        await driver.touch([{ key: 'b', user: null, expiresAt: NOW + 2 * HOUR }], NOW)
        expect(await driver.read(['a'])).toEqual([row])
        expect((await driver.read(['a', 'b'])).map(({ expiresAt }) => expiresAt)).toEqual([
          8.64e15,
          NOW + 2 * HOUR,
        ])
        expect(await driver.count(NOW)).toBe(2)
        expect(await driver.list({ user: 'u', limit: 9 })).toEqual({ keys: ['a'] })
      })

      it('waits for the majority, unless the client says how long else', async () => {
        const { client, database, collection } = await open({ monitorCommands: true })
        const concerns: unknown[] = []
        client.on('commandStarted', ({ command }) => concerns.push(command.writeConcern))
        const lent = clientOf(`${server.url}?w=1&journal=true`, { monitorCommands: true })
        lent.on('commandStarted', ({ command }) => concerns.push(command.writeConcern))
        for (const each of [client, lent])
          await mongoDriver({ client: each, database, collection }).write([session('a')], NOW)
        expect(concerns).toEqual([{ w: 'majority' }, { w: 1, j: true }])
      })
    })

    describe('the collection', () => {
      it.each(['a.b', 'we"ird', "it's", 'a b', '{}', 'Übung', '__proto__'])(
        'may be called %j',
        async (collection) => {
          const database = newName()
          const client = clientOf(server.url)
          const driver = await driverOf({ client, database, collection })
          await driver.write([session('a')], NOW)
          expect(await client.db(database).collection(collection).countDocuments()).toBe(1)
        },
      )

      it('is made once by ten that start together', async () => {
        const collection = newName()
        const url = `${server.url}${newName()}`
        const drivers = Array.from({ length: 10 }, () => mongoDriver({ url, collection }))
        undo.push(() => Promise.all(drivers.map((driver) => driver.close())))
        await Promise.all(drivers.map((driver) => driver.setup()))
        const landed = await Promise.all(
          drivers.map((driver, i) => driver.write([session('shared', { expect: '', tag: `tag-${i}` })], NOW)),
        )
        expect(landed.flat()).toEqual(['shared'])
        const indexes = await clientOf(url).db().collection(collection).indexes()
        expect(indexes.map(({ name }) => name)).toEqual(['_id_', 'purgeAt_1', 'user_1__id_1'])
      })

      it("keeps somebody else's documents, which are no sessions", async () => {
        const { driver, documents } = await open()
        const foreign = [
          { _id: 'of-connect-mongo', session: '{}', expires: new Date(NOW + HOUR) },
          { _id: 'of-nobody', data: 'x', expiresAt: 'never' },
        ]
        await documents.insertMany(foreign)
        await driver.write([session('a')], NOW)
        expect(await driver.read(['a', 'of-connect-mongo', 'of-nobody'])).toHaveLength(1)
        expect(await driver.count(NOW)).toBe(1)
        await driver.prune(NOW + 9 * HOUR, 10)
        await driver.clear()
        expect(await documents.find().toArray()).toEqual(foreign)
      })

      it('keeps its indexes when it is cleared', async () => {
        const { driver, documents } = await open()
        await driver.write(
          keysOf(2500).map((key) => session(key)),
          NOW,
        )
        await driver.clear()
        expect(await documents.countDocuments()).toBe(0)
        expect(await documents.indexes()).toHaveLength(3)
      })
    })

    describe('what MongoDB removes', () => {
      it('is an hour or two past its deadline', async () => {
        const { driver, documents } = await open()
        const ages = [24, 2.01, 0.9, 0, -1]
        await driver.write(
          ages
            .map((hours) => session(`over-for-${hours}`, { expiresAt: Date.now() - hours * HOUR }))
            .sort((a, b) => (a.key < b.key ? -1 : 1)),
          NOW,
        )
        await vi.waitFor(async () => expect(await documents.countDocuments()).toBe(3), 30_000)
        expect((await documents.distinct('_id')).sort()).toEqual([
          'over-for--1',
          'over-for-0',
          'over-for-0.9',
        ])
      })

      it('is looked up by a date that few touches change, and that is never too early', async () => {
        const { driver, documentOf } = await open()
        await driver.write([session('a'), session('b'), session('c', { data: null })], NOW)
        const { purgeAt } = await documentOf('a')
        const expiresAt = Math.ceil((NOW + HOUR + 1) / HOUR) * HOUR - 1
        const touch = (key: string, at: number) => ({ key, user: null, expiresAt: at })
        await driver.touch([touch('a', expiresAt)], NOW)
        await driver.touch([touch('a', expiresAt), touch('b', expiresAt)], NOW)
        const later = await documentOf('a')
        expect(later.expiresAt).toBe(expiresAt)
        expect(later.purgeAt.getTime() - expiresAt).toBeGreaterThanOrEqual(HOUR)
        expect(later.purgeAt.getTime() - purgeAt.getTime()).toBeLessThanOrEqual(HOUR)
        expect(later.purgeAt.getTime() % HOUR).toBe(0)
        for (const keys of [['c'], ['b', 'c']])
          await driver.touch(
            keys.map((key) => touch(key, NOW - 9 * HOUR)),
            NOW,
          )
        expect((await documentOf('c')).purgeAt).toEqual(purgeAt)
      })
    })

    describe('commands', () => {
      /** What is sent while `work` runs, without what the client adds. */
      async function sent(client: MongoClient, work: () => unknown): Promise<Document[]> {
        const commands: Document[] = []
        const heard = ({ command }: { command: Document }) => void commands.push(command)
        client.on('commandStarted', heard)
        await work()
        client.off('commandStarted', heard)
        return commands
      }

      it('are one a batch', async () => {
        const { client, driver } = await open({ monitorCommands: true })
        const keys = keysOf(256)
        const created = await sent(client, () =>
          driver.write(
            keys.map((key) => session(key, { expect: '' })),
            NOW,
          ),
        )
        expect(created).toMatchObject([{ insert: expect.anything(), ordered: false }])
        const saved = await sent(client, () =>
          driver.write(
            keys.map((key) => session(key, { expect: 'tag', data: 'x'.repeat(500) })),
            NOW,
          ),
        )
        expect(saved).toMatchObject([{ update: expect.anything(), ordered: false }])
        const read = await sent(client, () => driver.read(keys))
        expect(read).toMatchObject([{ find: expect.anything() }])
        const expiresAt = [NOW + 2 * HOUR, NOW + 3 * HOUR]
        const touched = await sent(client, () =>
          driver.touch(
            keys.map((key, i) => ({ key, user: null, expiresAt: expiresAt[i % 2]! })),
            NOW,
          ),
        )
        expect(touched).toMatchObject([{ update: expect.anything(), updates: { length: 2 } }])
      })

      it('find their documents by an index, and those of a batch of one without a plan', async () => {
        const { client, driver, database } = await open({ monitorCommands: true })
        await driver.write(
          keysOf(1000).map((key, i) => session(key, { user: i % 2 ? 'somebody' : null })),
          NOW,
        )
        const key = 'key-000001'
        const touch = (...keys: string[]) =>
          driver.touch(
            keys.map((key) => ({ key, user: null, expiresAt: NOW + HOUR })),
            NOW,
          )
        const commands = await sent(client, async () => {
          await driver.read([key])
          await touch(key)
          for (const expect of [undefined, '', 'tag']) await driver.write([session(key, { expect })], NOW)
          await driver.write([session(key, { data: null })], NOW)
          await driver.read(keysOf(10))
          await touch(...keysOf(10))
          await driver.list({ limit: 10, after: key })
          await driver.list({ user: 'somebody', limit: 10, after: key })
          await driver.prune(NOW + 9 * HOUR, 10)
        })
        const plans: string[] = []
        for (const { lsid, $db, writeConcern, insert, ...command } of commands) {
          if (insert) continue
          const plan = await client.db(database).command({ explain: command })
          plans.push(JSON.stringify(plan.queryPlanner.winningPlan))
        }
        expect(plans).toHaveLength(12)
        for (const plan of plans) expect(plan).not.toMatch(/COLLSCAN|"SORT"/)
        for (const plan of plans.slice(0, 6)) expect(plan).toMatch(/IDHACK/)
        const [ofUser, pruned] = [plans[9], plans[10]]
        expect(ofUser).toMatch('user_1__id_1')
        expect(ofUser).not.toMatch('FETCH')
        expect(pruned).toMatch('purgeAt_1')
      })
    })

    describe('text', () => {
      it('that reads like an expression is text', async () => {
        const { driver } = await open()
        const user = '$user'
        for (const [i, text] of ['$tag', '$$ROOT', '$$REMOVE', '{"$gt":""}', '$_id', '$where'].entries()) {
          const key = `${i}${text}`
          const [first, second] = [
            session(key, { tag: 'other', data: text, user }),
            session(key, { tag: text, data: text, user }),
          ]
          await driver.write([first], NOW)
          expect(await driver.write([{ ...second, expect: text }], NOW), 'an update expecting it').toEqual([])
          expect(await driver.write([{ ...second, expect: '' }], NOW), 'a create').toEqual([])
          expect(await readOne(driver, key)).toEqual(first)
          expect(await driver.write([{ ...second, expect: 'other' }], NOW)).toEqual([key])
          expect(await readOne(driver, key)).toEqual(second)
          expect(await driver.write([second], NOW), 'an upsert').toEqual([key])
          expect(await readOne(driver, key)).toEqual(second)
        }
      })

      it('with half a surrogate comes back as it was', async () => {
        const { driver } = await open()
        for (const [i, data] of ['a\ud800b', '\udfff', '𝒳\ud83d'].entries()) {
          const row = session(`key-${i}`, { data })
          await driver.write([{ ...row, expect: '' }], NOW)
          expect(await readOne(driver, row.key)).toEqual(row)
          await driver.write([{ ...row, expect: 'tag' }], NOW)
          expect(await readOne(driver, row.key)).toEqual(row)
        }
        expect(await driver.count(NOW)).toBe(3)
      })
    })

    describe('large payloads', () => {
      it('of nearly 16 MiB come and go, together too', async () => {
        const { client, driver } = await open()
        const keys = keysOf(5)
        const rows = keys.map((key, i) => session(key, { data: String(i).repeat(16_000_000) }))
        expect(await driver.write(rows, NOW)).toEqual(keys)
        expect((await driver.read([...keys, 'missing'])).map(({ data }) => data?.slice(0, 3))).toEqual([
          '000',
          '111',
          '222',
          '333',
          '444',
        ])
        const updates = rows.map((row) => ({ ...row, expect: 'tag', data: row.data!.slice(1) }))
        expect(await driver.write(updates, NOW)).toEqual(keys)
        expect((await readOne(driver, keys[4]!))?.data).toHaveLength(15_999_999)
        const { metrics } = await client.db('admin').command({ serverStatus: 1 })
        expect(Number(metrics.cursor.open.total), 'cursors left open').toBe(0)
      })

      it.each(['', 'tag', undefined])(
        'of more are refused, and the old one stays (expect: %j)',
        async (expected) => {
          const { driver } = await open()
          await driver.write([session('a')], NOW)
          const large = [
            'x'.repeat(16 * 1024 * 1024),
            'é'.repeat(8 * 1024 * 1024),
            '\ud800'.repeat(8 * 1024 * 1024),
          ]
          for (const data of large)
            expect(await failed(driver.write([session('a', { data, expect: expected })], NOW))).toMatchObject(
              {
                code: 'PAYLOAD_TOO_LARGE',
              },
            )
          expect(await readOne(driver, 'a')).toEqual(session('a'))
          // The largest that is taken.
          const data = 'x'.repeat(16 * 1024 * 1024 - 4096)
          const key = 'k'.repeat(768)
          for (const expect_ of ['', 'tag', undefined])
            expect(
              await driver.write([session(key, { data, expect: expect_, user: 'u'.repeat(43) })], NOW),
            ).toEqual([key])
          expect((await readOne(driver, key))?.data).toHaveLength(data.length)
        },
      )
    })

    describe('errors', () => {
      it('of a view are READ_ONLY', async () => {
        const { client, database, collection } = await open()
        await client.db(database).command({ create: 'view', viewOn: collection, pipeline: [] })
        const driver = mongoDriver({ client, database, collection: 'view' })
        expect(await failed(driver.setup())).toMatchObject({ code: 'READ_ONLY' })
        expect(await failed(driver.write([session('a', { data: 'secret' })], NOW))).toMatchObject({
          code: 'READ_ONLY',
        })
      })

      it('of a collection with other indexes or rules are BAD_STORAGE', async () => {
        const { client, database, documents, driver } = await open()
        await client.db(database).collection('other').createIndex({ purgeAt: 1 }, { expireAfterSeconds: 60 })
        const other = mongoDriver({ client, database, collection: 'other' })
        expect(await failed(other.setup())).toMatchObject({ code: 'BAD_STORAGE' })
        await documents.createIndex({ data: 1 }, { unique: true })
        const twice = [session('a', { data: 'secret' }), session('b', { data: 'secret', expect: '' })]
        expect(await failed(driver.write(twice, NOW))).toMatchObject({ code: 'BAD_STORAGE' })
        await documents.dropIndexes()
        await client
          .db(database)
          .command({ collMod: documents.collectionName, validator: { data: { $ne: 'secret' } } })
        expect(await failed(driver.write([session('c', { data: 'secret' })], NOW))).toMatchObject({
          code: 'BAD_STORAGE',
        })
      })

      it('of a server that is not there are UNAVAILABLE', async () => {
        const driver = mongoDriver({ url: 'mongodb://me:secret@127.0.0.1:9/?serverSelectionTimeoutMS=50' })
        undo.push(() => driver.close())
        expect(await failed(driver.setup())).toMatchObject({ code: 'UNAVAILABLE' })
        expect(await failed(driver.ping())).toMatchObject({ code: 'UNAVAILABLE' })
      })

      it('of calls that wait too long for a connection are UNAVAILABLE, as the URL asks', async () => {
        const driver = mongoDriver({ url: `${server.url}?maxPoolSize=1&waitQueueTimeoutMS=1` })
        undo.push(() => driver.close())
        const calls = await Promise.allSettled(Array.from({ length: 500 }, () => driver.ping()))
        const failures = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []))
        expect(failures.length).toBeGreaterThan(0)
        for (const failure of failures)
          expect(failure).toMatchObject({
            code: 'UNAVAILABLE',
            cause: { name: 'MongoWaitQueueTimeoutError' },
          })
      })

      it('of a host without an address are UNAVAILABLE', async () => {
        for (const url of [
          'mongodb://nobody.invalid/?serverSelectionTimeoutMS=50',
          'mongodb+srv://nobody.invalid/',
        ])
          expect(await failed(mongoDriver({ url }).setup())).toMatchObject({ code: 'UNAVAILABLE' })
      })
    })

    it('killed and started again it is found again, with all that was answered', async () => {
      await using other = await mongoProcess()
      const driver = await driverOf({ url: `${other.url}?serverSelectionTimeoutMS=500` })
      for (const [i, key] of keysOf(20).entries())
        await driver.write([session(key, { expect: i % 2 ? '' : undefined })], NOW)
      await other.kill()
      expect(await failed(driver.ping())).toMatchObject({ code: 'UNAVAILABLE' })
      await other.start()
      await vi.waitFor(() => driver.ping(), 10_000)
      expect(await driver.count(NOW)).toBe(20)
      expect(await driver.write([session('key-000000', { expect: 'tag' })], NOW)).toHaveLength(1)
    })
  },
)

describeWith(
  'a server with users',
  () => mongoProcess({ password: 'secret' }),
  (server) => {
    it('denies access to wrong passwords', async () => {
      for (const url of [server.url.replace('secret', 'secret2'), server.url.replace('root:secret@', '')]) {
        const driver = mongoDriver({ url })
        undo.push(() => driver.close())
        expect(await failed(driver.setup())).toMatchObject({ code: 'ACCESS_DENIED' })
      }
    })

    it('denies access to users who may not write, and repeats no session', async () => {
      const admin = clientOf(server.url)
      const reader = { createUser: 'reader', pwd: 'secret', roles: [{ role: 'read', db: 'app' }] }
      await admin.db('app').command(reader)
      const driver = mongoDriver({ url: server.url.replace('root', 'reader').replace(/\/$/, '/app') })
      undo.push(() => driver.close())
      expect(await driver.read(['a'])).toEqual([])
      const write = driver.write([session('a', { data: 'secret' })], NOW)
      const error = await failed(write)
      expect(error).toMatchObject({ code: 'ACCESS_DENIED', cause: { code: 13 } })
    })
  },
)

describeWith('a replica set', mongoReplicaSet, (server) => {
  it('goes on after a step-down as if nothing had happened', async () => {
    const url = `${server.url}&serverSelectionTimeoutMS=30000`
    const store = new MongoStore({ url, pruneInterval: false, operationTimeout: 30_000 })
    undo.push(() => store.close())
    const cookie = { originalMaxAge: HOUR, path: '/' }
    const ids = keysOf(20)
    await Promise.all(ids.map((id) => store.set(id, { cookie, name: 'Ada' } as never)))
    const admin = clientOf(server.url).db('admin')
    await admin.command({ replSetStepDown: 1, force: true })
    await Promise.all(
      ids.map(async (id, i) => {
        const found = (await store.get(id))!
        if (i % 3 === 0) await store.destroy(id)
        else if (i % 3 === 1) await store.touch(id, found)
        else await store.set(id, { ...found, name: 'Bob' } as never)
      }),
    )
    const names = await Promise.all(ids.map(async (id) => (await store.get(id)) as { name?: string } | null))
    expect(names.map((found) => found?.name)).toEqual(ids.map((_, i) => [undefined, 'Ada', 'Bob'][i % 3]))
  })

  it('takes payloads of nearly 16 MiB', async () => {
    const driver = await driverOf({ url: server.url, collection: newName() })
    const data = 'x'.repeat(16 * 1024 * 1024 - 4096)
    for (const expect_ of ['', 'tag', undefined])
      expect(await driver.write([session('a', { data, expect: expect_ })], NOW)).toEqual(['a'])
    expect((await readOne(driver, 'a'))?.data).toHaveLength(data.length)
  })
})
