import type { Schema } from '@session-stores/core'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Binary } from 'mongodb'
import { expect, it } from 'vitest'
import { MongoStore, mongoDriver } from '../src/index.ts'
import { SCHEMA_ID, type Step } from '../src/row.ts'
import { clientOf, deployments, NOW, newName, session } from './support/servers.ts'

/** A schema as a later version of the package may have it: it adds, so older processes go on. */
const later: Schema<Step> = { minimum: 1, steps: [[{ name: 'createdAt_1', key: { createdAt: 1 } }]] }
/** A schema that no older process can use. */
const breaking: Schema<Step> = { minimum: 3, steps: [...later.steps, [{ name: 'tag_1', key: { tag: 1 } }]] }

const [[name, start]] = deployments as [(typeof deployments)[number]]

describeWith(
  `on ${name}, the schema of a collection`,
  () => start(),
  (server) => {
    function newPlace() {
      const client = clientOf(server.url)
      const place = { client, database: newName(), collection: 'sessions' }
      const documents = client.db(place.database).collection<{ _id: string }>('sessions')
      const opened = (schema?: Schema<Step>) => {
        const driver = mongoDriver(place, schema)
        after(() => driver.close())
        return driver
      }
      const version = () => documents.findOne({ _id: SCHEMA_ID as never })
      const indexes = async () => (await documents.indexes()).map((index) => index.name)
      return { place, documents, opened, version, indexes }
    }

    it('leaves no mark as long as it is the first', async () => {
      const { documents, opened } = newPlace()
      await opened().setup()
      expect(await documents.countDocuments()).toBe(0)
    })

    it('that was released is read', async () => {
      const { documents, opened } = newPlace()
      const driver = opened()
      await driver.setup()
      const common = {
        tag: 'tag-1',
        user: null,
        createdAt: 1_700_000_000_000,
        purgeAt: new Date(4_100_004_000_000),
      }
      const expiresAt = 4_099_999_999_999
      // Every version must read these documents. Add others, and never change these.
      await documents.insertMany([
        { _id: 'session', ...common, data: '{"name":"Übung"}', expiresAt },
        { _id: 'surrogate', ...common, data: new Binary(Buffer.from('\ud800', 'utf16le')), expiresAt },
        { _id: 'tombstone', ...common, goneUntil: expiresAt },
      ] as never)
      const row = { tag: 'tag-1', user: null, createdAt: common.createdAt, expiresAt }
      expect(await driver.read(['session', 'surrogate', 'tombstone'])).toEqual([
        { key: 'session', data: '{"name":"Übung"}', ...row },
        { key: 'surrogate', data: '\ud800', ...row },
        { key: 'tombstone', data: null, ...row },
      ])
    })

    it('is brought up to date, while an older process goes on', async () => {
      const { opened, version, indexes } = newPlace()
      const old = opened()
      await old.setup()
      await old.write([session('a', { user: 'u' }), session('b')], NOW)
      const drivers = [later, later, later].map(opened)
      await Promise.all(drivers.map((driver) => driver.setup()))
      expect(await version()).toEqual({ _id: SCHEMA_ID, version: 2, minimum: 1 })
      expect(await indexes()).toContain('createdAt_1')
      const another = opened()
      await another.setup()
      expect(await another.write([session('c')], NOW)).toEqual(['c'])
      await old.touch([{ key: 'b', user: null, expiresAt: NOW + 2 * HOUR }], NOW)
      expect(await drivers[0]!.count(NOW)).toBe(3)
      expect((await another.list({ user: 'u', limit: 9 })).keys).toEqual(['a'])
      expect((await another.read(['a', 'b', 'c'])).map(({ key }) => key).sort()).toEqual(['a', 'b', 'c'])
      await another.prune(NOW + 99 * HOUR, 10)
      await another.clear()
      expect(await old.count(NOW)).toBe(0)
      expect(await version()).toEqual({ _id: SCHEMA_ID, version: 2, minimum: 1 })
    })

    it('that is too new is an error of its own, and nothing is lost or made', async () => {
      const { place, documents, opened, indexes } = newPlace()
      const newest = opened(breaking)
      await newest.setup()
      await newest.write([session('a')], NOW)
      await documents.dropIndex('user_1__id_1')
      for (const schema of [undefined, later])
        await expect(opened(schema).setup()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' })
      const store = new MongoStore({ ...place, pruneInterval: false })
      await expect(store.get('id')).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' })
      await expect(store.clear()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW' })
      await store.close()
      expect(await newest.count(NOW)).toBe(1)
      expect(await indexes()).not.toContain('user_1__id_1')
      // The newest version that has begun counts, whatever order they begin in.
      const drivers = [later, breaking].map((schema) => opened(schema).setup())
      expect((await Promise.allSettled(drivers)).map(({ status }) => status)).toEqual([
        'rejected',
        'fulfilled',
      ])
    })

    it('has documents of a newer layout, which are no missing sessions', async () => {
      const { place, documents, opened } = newPlace()
      const store = new MongoStore({ ...place, pruneInterval: false, user: () => 'ada' })
      after(() => store.close())
      const plain = { cookie: { originalMaxAge: null } } as never
      await store.set('id', plain)
      const newer = { $set: { layout: 2, parts: ['new'] }, $unset: { data: 1 } }
      await documents.updateOne({ _id: store.handle('id') }, newer as never)
      await expect(store.get('id')).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' })
      await expect(store.set('id', plain)).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' })
      expect(await store.length()).toBe(1)
      const driver = opened()
      const create = session(store.handle('id'), { expect: '' })
      expect(await driver.write([create], NOW)).toEqual([])
      await store.touch('id', plain)
      expect(await documents.findOne({ _id: store.handle('id') })).toMatchObject({
        layout: 2,
        parts: ['new'],
      })
      expect(await store.revokeUser('ada')).toBe(1)
      expect(await store.get('id')).toBeNull()
      expect(await store.length()).toBe(0)
    })
  },
)
