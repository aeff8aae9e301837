import { mongoProcess } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import type { MongoClientOptions } from 'mongodb'
import { expect, it } from 'vitest'
import { MongoStore, mongoDriver } from '../src/index.ts'
import { clientOf, NOW, newName, openerFor, rowOf, session } from './support/servers.ts'

describeWith('a connection', mongoProcess, (server) => {
  const open = openerFor(server)

  it('is made with the URL and its database, by one store after the other', async () => {
    const [name, collection] = [newName(), newName()]
    const url = `${server.url}${name}`
    const cookie = { originalMaxAge: HOUR, path: '/' }
    const first = new MongoStore({ url, collection, pruneInterval: false })
    await first.set('the-id', { cookie, name: 'Ada' } as never)
    await Promise.all([first.close(), first.close()])
    const second = new MongoStore({ url, collection, pruneInterval: false })
    after(() => second.close())
    expect(await second.get('the-id')).toMatchObject({ name: 'Ada' })
    expect(await clientOf(server.url).db(name).collection(collection).countDocuments()).toBe(1)
  })

  it('is closed with the driver, and stays closed', async () => {
    const driver = mongoDriver({ url: server.url, collection: newName() })
    await driver.setup()
    await driver.close()
    await expect(driver.ping()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(driver.setup()).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('of a lent client is made where needed, and is left open', async () => {
    const { client, driver } = await open()
    await driver.write([session('a')], NOW)
    await driver.close()
    await expect(driver.read(['a'])).rejects.toMatchObject({ code: 'CLOSED' })
    expect(await client.db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 })
  })

  it('of a lent client that was closed is UNAVAILABLE', async () => {
    const { client, driver } = await open()
    await client.close()
    await expect(driver.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it.each<MongoClientOptions>([
    { promoteValues: false, promoteBuffers: true },
    { useBigInt64: true },
    { promoteLongs: false },
    { raw: true },
    { ignoreUndefined: true, readPreference: 'secondary', retryWrites: false },
  ])('of a lent client may have the options %o', async (options) => {
    const { driver } = await open(options)
    const row = session('a', { user: 'u', expiresAt: 8.64e15 })
    expect(await driver.write([row, session('b')], NOW)).toEqual(['a', 'b'])
    await driver.touch([{ key: 'b', user: null, expiresAt: NOW + 2 * HOUR }], NOW)
    expect(await driver.read(['a'])).toEqual([rowOf(row)])
    expect((await driver.read(['a', 'b'])).map(({ expiresAt }) => expiresAt)).toEqual([
      8.64e15,
      NOW + 2 * HOUR,
    ])
    expect(await driver.count(NOW)).toBe(2)
    expect(await driver.list({ user: 'u', limit: 9 })).toEqual({ keys: ['a'] })
  })

  it('that is not free in the time that the URL sets is UNAVAILABLE', async () => {
    const driver = mongoDriver({ url: `${server.url}?maxPoolSize=1&waitQueueTimeoutMS=1` })
    after(() => driver.close())
    const calls = await Promise.allSettled(Array.from({ length: 500 }, () => driver.ping()))
    const failures = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []))
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures)
      expect(failure).toMatchObject({
        code: 'UNAVAILABLE',
        cause: { name: 'MongoWaitQueueTimeoutError' },
      })
  })
})
