import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import type { Driver } from '@session-stores/core'
import { mongoProcess, startProxy } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import type { Document } from 'mongodb'
import { describe, expect, it, vi } from 'vitest'
import { MongoStore, mongoDriver } from '../src/index.ts'
import { clientOf, driverOf, NOW, newName, session, withOption } from './support/servers.ts'

/** Returns how long the call takes until it fails, in milliseconds. */
async function timeToFail(call: () => unknown, ...codes: string[]): Promise<number> {
  const begun = performance.now()
  const code = expect.toSatisfy((thrown) => codes.includes(thrown))
  await expect((async () => call())()).rejects.toMatchObject({ code })
  return performance.now() - begun
}

/**
 * Fails unless the call fails with the code before a timer of `limit` milliseconds runs. On a busy
 * machine both are late, and keep their order.
 */
async function failsBefore(limit: number, call: () => unknown, code: string): Promise<void> {
  const failure = (async () => call())().then(
    () => 'an answer',
    (error: { code: string }) => error.code,
  )
  const timer = new Promise((resolve) => setTimeout(resolve, limit, `nothing for ${limit} ms`))
  expect(await Promise.race([failure, timer])).toBe(code)
}

const callsOf = (driver: Driver): (() => unknown)[] => [
  () => driver.read(['a']),
  () => driver.write([session('a')], NOW),
  () => driver.write([session('a', { expect: 'tag', tag: 'next' })], NOW),
  () => driver.touch([{ key: 'a', user: null, expiresAt: NOW + HOUR }], NOW),
  () => driver.list({ limit: 1 }),
  () => driver.ping(),
]

describeWith('the time limit', mongoProcess, (server) => {
  /** Returns a driver whose network may fail. */
  async function open(options = '') {
    const proxy = await startProxy(server)
    after(() => proxy.stop())
    const url = withOption(proxy.through(server.url), `directConnection=true${options}`)
    const driver = mongoDriver({ url, database: newName() })
    after(() => driver.close())
    return { proxy, driver }
  }

  it.each([800, 2000])('of %d ms ends the wait for a server', async (timeLimit) => {
    const { proxy, driver } = await open()
    await driver.setup(timeLimit)
    proxy.refuse()
    proxy.cut()
    for (const call of callsOf(driver)) {
      const begun = performance.now()
      await failsBefore(timeLimit, call, 'UNAVAILABLE')
      expect(performance.now() - begun).toBeGreaterThan(timeLimit * 0.5)
    }
    proxy.accept()
    await vi.waitFor(() => driver.ping(), 5000)
  })

  it('ends the wait for an answer', async () => {
    const { proxy, driver } = await open()
    await driver.setup(1000)
    proxy.pause()
    for (const waited of await Promise.all(
      callsOf(driver).map((call) => timeToFail(call, 'TIMEOUT', 'UNAVAILABLE')),
    ))
      expect(waited).toBeLessThan(1100)
    proxy.resume()
    await vi.waitFor(() => driver.ping(), 5000)
  })

  it('ends the wait for the first answer of a server that takes the connection', async () => {
    const { proxy, driver } = await open()
    proxy.pause()
    await failsBefore(500, () => driver.setup(500), 'UNAVAILABLE')
  })

  it('is as long as a server may take to wake up', async () => {
    const { proxy, driver } = await open()
    proxy.pause()
    const setup = driver.setup(15_000)
    const begun = performance.now()
    await vi.waitFor(() => expect(performance.now() - begun).toBeGreaterThan(4500), 10_000)
    proxy.resume()
    await setup
  })

  it('ends the wait for a free connection', async () => {
    const { proxy, driver } = await open('&maxPoolSize=1')
    await driver.setup(400)
    proxy.pause()
    const first = timeToFail(() => driver.read(['a']), 'TIMEOUT')
    const second = await timeToFail(() => driver.read(['a']), 'UNAVAILABLE')
    expect(second).toBeLessThan(400)
    await first
  })

  it('ends the wait for a lock, and the call then does nothing', async () => {
    const { driver } = await open()
    await driver.setup(1000)
    const admin = clientOf(server.url).db('admin')
    await admin.command({ fsync: 1, lock: true })
    const unlock = () => admin.command({ fsyncUnlock: 1 })
    try {
      for (const call of [callsOf(driver)[1]!, callsOf(driver)[2]!, callsOf(driver)[3]!])
        expect(await timeToFail(call, 'TIMEOUT')).toBeLessThan(1000)
    } finally {
      await unlock()
    }
    expect(await driver.read(['a'])).toEqual([])
  })

  it('follows the store and may change', async () => {
    const client = clientOf(server.url, { monitorCommands: true })
    const sent: Document[] = []
    client.on('commandStarted', ({ command }) => void (command.update && sent.push(command)))
    const options = { client, database: newName() }
    const store = new MongoStore({ ...options, operationTimeout: 15_000, pruneInterval: false })
    after(() => store.close())
    await store.set('an-id', { cookie: { originalMaxAge: null, path: '/' } } as never)
    const driver = await driverOf(options)
    for (const [i, timeLimit] of [undefined, 1000].entries()) {
      await driver.setup(timeLimit)
      await driver.write([session(`key-${i}`)], NOW)
    }
    expect(sent.map(({ writeConcern }) => writeConcern.wtimeout)).toEqual([12_000, 4000, 800])
    // The time that has passed before a command is sent is not left for the waits of the server.
    for (const [i, most] of [10_500, 3500, 700].entries()) {
      expect(sent[i]!.maxTimeMS).toBeLessThanOrEqual(most)
      expect(sent[i]!.maxTimeMS).toBeGreaterThan(most / 2)
    }
  })

  it('yields to a wait that the URL names', async () => {
    // This is long enough on a busy machine, and far from what the store would set itself.
    const { proxy, driver } = await open('&serverSelectionTimeoutMS=1000')
    await driver.setup()
    proxy.refuse()
    proxy.cut()
    await vi.waitFor(
      async () => expect(await timeToFail(() => driver.ping(), 'UNAVAILABLE')).toBeLessThan(3000),
      {
        timeout: 30_000,
      },
    )
  })
})

describe('a server that takes connections and breaks them', () => {
  it('gets a few attempts a second', async () => {
    let attempts = 0
    const breaks = createServer((socket: Socket) => {
      attempts++
      socket.destroy()
    }).listen(0, '127.0.0.1')
    await once(breaks, 'listening')
    after(() => breaks.close())
    const { port } = breaks.address() as AddressInfo
    const store = new MongoStore({
      url: `mongodb://127.0.0.1:${port}/?directConnection=true`,
      operationTimeout: 1000,
      pruneInterval: false,
    })
    after(() => store.close())
    const begun = performance.now()
    const failures = new Set<string>()
    while (performance.now() - begun < 4000)
      await Promise.all(
        Array.from({ length: 20 }, () => store.get('x').catch(({ code }) => failures.add(code))),
      )
    expect([...failures].filter((code) => code !== 'TIMEOUT')).toEqual(['UNAVAILABLE'])
    expect(attempts).toBeLessThan(5 * 5)
  })
})
