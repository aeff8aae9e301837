import type { Driver } from '@session-stores/core'
import { mongoProcess, startProxy } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import type { MongoClient } from 'mongodb'
import { expect, it, vi } from 'vitest'
import { mongoDriver } from '../src/index.ts'
import { clientOf, driverOf, NOW, newName, readOne, rowOf, session } from './support/servers.ts'

/** Returns how many updates the server has done or refused. */
async function countUpdates(client: MongoClient): Promise<number> {
  const { metrics } = await client.db('admin').command({ serverStatus: 1 })
  return Number(metrics.commands.update.total)
}

/** Returns the client with a server whose clock seems to be `ahead` by so many milliseconds. */
function withClock(client: MongoClient, clock: { ahead: number }): MongoClient {
  const db = (name?: string) => {
    const real = client.db(name)
    const command = async (sent: object, options?: object) => {
      const reply = await real.command(sent, options)
      if (reply.localTime) reply.localTime = new Date(reply.localTime.getTime() + clock.ahead)
      return reply
    }
    return { databaseName: real.databaseName, command }
  }
  return { connect: () => client.connect(), db } as never
}

describeWith('a call that comes late', mongoProcess, (server) => {
  const touch = (key: string, tag?: string) => ({ key, tag, user: null, expiresAt: NOW + 9 * HOUR })

  it('does nothing when a server that hung goes on', async () => {
    const client = clientOf(server.url, {
      minPoolSize: 9,
      // A heartbeat that fails first would end the calls with another error.
      heartbeatFrequencyMS: 60_000,
      connectTimeoutMS: 300,
      socketTimeoutMS: 475,
    })
    let connections = 0
    client.on('connectionReady', () => void connections++)
    const driver = await driverOf({ client, collection: newName() })
    // Each call needs a connection that is open already.
    await vi.waitFor(() => expect(connections).toBe(9), 20_000)
    const observer = clientOf(server.url)
    const rows = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => session(key))
    await driver.write(rows, NOW)
    await driver.setup(500)
    const before = await countUpdates(observer)
    const calls: (() => unknown)[] = [
      () => driver.write([session('a', { expect: 'tag', tag: 'next' })], NOW),
      () => driver.touch([touch('b')], NOW),
      () => driver.touch([touch('c', 'tag'), touch('d', 'tag')], NOW),
      () => driver.write([session('e', { data: null, tag: 'end' })], NOW),
      () => driver.write([session('f', { data: null, tag: 'end', expect: 'tag' })], NOW),
      () => driver.write([session('g', { data: null, tag: 'end' })], NOW),
      () => driver.write([session('h', { expect: '' })], NOW),
    ]
    const begun = performance.now()
    server.pause()
    after(() => server.pid && server.resume())
    const answers = await Promise.allSettled(calls.map((call) => call()))
    for (const answer of answers)
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'TIMEOUT' } })
    expect(performance.now() - begun).toBeLessThan(1000)
    await vi.waitFor(() => expect(performance.now() - begun).toBeGreaterThan(600))
    server.resume()
    // The server finds the updates on the connections that were given up.
    await vi.waitFor(
      async () => expect(await countUpdates(observer)).toBeGreaterThanOrEqual(before + calls.length),
      20_000,
    )
    expect(await driver.read(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'])).toEqual(rows.map(rowOf))
    expect(await driver.write([session('a', { expect: 'tag', tag: 'next' })], NOW)).toEqual(['a'])
  })

  it('does nothing after it has waited for a lock of the server', async () => {
    const proxy = await startProxy(server)
    after(() => proxy.stop())
    const driver = await driverOf({ url: `${proxy.through(server.url)}?directConnection=true` })
    const admin = clientOf(server.url).db('admin')
    const timeLimit = 1000
    await driver.setup(timeLimit)
    await driver.write([session('b')], NOW)
    await admin.command({ fsync: 1, lock: true })
    let isLocked = true
    const unlock = async () => {
      if (isLocked) await admin.command({ fsyncUnlock: 1 })
      isLocked = false
    }
    after(unlock)
    proxy.pause('toServer')
    const begun = performance.now()
    const passed = (milliseconds: number) =>
      vi.waitFor(() => expect(performance.now() - begun).toBeGreaterThan(milliseconds), 5000)
    const calls = [driver.write([session('a')], NOW), driver.touch([touch('b')], NOW)]
    const answers = Promise.allSettled(calls)
    // The calls reach the server before their caller gives them up, and wait there.
    await passed(0.6 * timeLimit)
    proxy.resume()
    for (const { status } of await answers) expect(status).toBe('rejected')
    await passed(1.1 * timeLimit)
    await unlock()
    const isWaiting = async () => {
      const { inprog } = await admin.command({ currentOp: 1, op: 'update' })
      return inprog.length > 0
    }
    await expect.poll(isWaiting).toBe(false)
    expect(await driver.read(['a', 'b'])).toEqual([rowOf(session('b'))])
  })

  it('is given up in a lent client, and does nothing when the server is back', async () => {
    const proxy = await startProxy(server)
    after(() => proxy.stop())
    // This client waits half a minute for a server.
    const client = clientOf(`${proxy.through(server.url)}?directConnection=true`)
    const driver = await driverOf({ client, collection: newName() })
    await driver.setup(1000)
    proxy.refuse()
    proxy.cut()
    const calls = [
      () => driver.ping(),
      () => driver.write([session('a')], NOW),
      () => driver.write([session('b', { data: null })], NOW),
    ]
    for (const call of calls) {
      const begun = performance.now()
      await expect(call()).rejects.toMatchObject({ code: expect.stringMatching(/^(TIMEOUT|UNAVAILABLE)$/) })
      expect(performance.now() - begun).toBeLessThan(1100)
    }
    proxy.accept()
    await vi.waitFor(() => driver.ping(), 20_000)
    expect(await driver.read(['a', 'b'])).toEqual([])
  })

  async function expectToWork(driver: Driver): Promise<void> {
    const [first, next] = [newName(), newName()]
    await driver.write([session('a', { data: null, tag: first })], NOW)
    expect(await driver.write([session('a', { expect: first, tag: next })], NOW)).toEqual(['a'])
    await driver.touch([touch('a', next)], NOW)
    expect((await readOne(driver, 'a'))?.expiresAt).toBe(NOW + 9 * HOUR)
  }

  it.each([-24 * HOUR, 24 * HOUR])(
    'is not a save or a touch after the clock was set by %d ms',
    async (ahead) => {
      const clock = { ahead }
      const client = withClock(clientOf(server.url), clock)
      const driver = mongoDriver({ client, collection: newName() })
      await driver.setup()
      // From now on the driver sees the true clock, as if the clock had been set back.
      clock.ahead = 0
      await expectToWork(driver)
      await driver.clear()
      expect(await driver.read(['a'])).toEqual([])
    },
  )

  it.each([-24 * HOUR, 24 * HOUR])(
    'is not a touch of several sessions after the clock was set by %d ms',
    async (ahead) => {
      const clock = { ahead }
      const collection = newName()
      const driver = mongoDriver({ client: withClock(clientOf(server.url), clock), collection })
      await driver.setup()
      clock.ahead = 0
      const writer = await driverOf({ client: clientOf(server.url), collection })
      await writer.write([session('a'), session('b')], NOW)
      await driver.touch([touch('a', 'tag'), touch('b', 'tag')], NOW)
      for (const key of ['a', 'b']) expect((await readOne(driver, key))?.expiresAt).toBe(NOW + 9 * HOUR)
      await expect(driver.touch([touch('c'), touch('d')], NOW)).resolves.toBe(undefined)
    },
  )

  it('is every call where the server never reports its true clock', async () => {
    const client = withClock(clientOf(server.url), { ahead: -HOUR })
    const collection = newName()
    const driver = mongoDriver({ client, collection })
    await driver.setup(200)
    await expect(driver.touch([touch('a')], NOW)).resolves.toBe(undefined)
    const writer = await driverOf({ client: clientOf(server.url), collection })
    await writer.write([session('a')], NOW)
    await expect(driver.touch([touch('a')], NOW)).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect(driver.write([session('b')], NOW)).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect((await readOne(driver, 'a'))?.expiresAt).toBe(NOW + HOUR)
  })
})
