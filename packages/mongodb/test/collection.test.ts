import { mongoProcess } from '@session-stores/testbed'
import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { clientOf, driverOf, NOW, newName, openerFor, session } from './support/servers.ts'

const startWithTtlMonitor = () => mongoProcess({ args: ['--setParameter', 'ttlMonitorSleepSecs=1'] })

describeWith('a collection', startWithTtlMonitor, (server) => {
  const open = openerFor(server)

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

  it('is made once by ten drivers that start together', async () => {
    const collection = newName()
    const url = `${server.url}${newName()}`
    const drivers = Array.from({ length: 10 }, () => mongoDriver({ url, collection }))
    after(() => Promise.all(drivers.map((driver) => driver.close())))
    await Promise.all(drivers.map((driver) => driver.setup()))
    const landed = await Promise.all(
      drivers.map((driver, i) => driver.write([session('shared', { expect: '', tag: `tag-${i}` })], NOW)),
    )
    expect(landed.flat()).toEqual(['shared'])
    const indexes = await clientOf(url).db().collection(collection).indexes()
    expect(indexes.map(({ name }) => name)).toEqual(['_id_', 'purgeAt_1', 'user_1__id_1'])
  })

  it('keeps the documents of others', async () => {
    const { driver, documents } = await open()
    const foreign = [
      { _id: 'of-connect-mongo', session: '{}', expires: new Date(NOW + HOUR) },
      { _id: 'of-nobody', data: 'x', expiresAt: 'never' },
      { _id: 'with-a-number', data: 'x', expiresAt: NOW + HOUR },
    ]
    await documents.insertMany(foreign as never)
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

  describe('a document that MongoDB removes', () => {
    it('ended one or two hours ago', async () => {
      const { driver, documents } = await open()
      const ages = [24, 2.01, 0.9, 0, -1]
      await driver.write(
        ages
          .map((hours) => session(`over-for-${hours}`, { expiresAt: Date.now() - hours * HOUR }))
          .sort((a, b) => (a.key < b.key ? -1 : 1)),
        NOW,
      )
      await vi.waitFor(async () => expect(await documents.countDocuments()).toBe(3), 30_000)
      expect((await documents.distinct('_id')).sort()).toEqual(['over-for--1', 'over-for-0', 'over-for-0.9'])
    })

    it('is found by a date that few touches change and that is never too early', async () => {
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
})
