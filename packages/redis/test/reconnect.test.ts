import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { redisProcess } from '@session-stores/testbed'
import { HOUR } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { expect, it, vi } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { type Library, lend, libraries } from './support/lent.ts'
import { storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const codeOf = ({ code }: { code?: string }) => code

/** Repeats a call, which must fail each time, for so many milliseconds. Returns how often. */
async function failFor(ms: number, call: () => Promise<unknown>): Promise<number> {
  let calls = 0
  for (const start = performance.now(); performance.now() < start + ms; calls++)
    await expect(call()).rejects.toMatchObject({ code: expect.stringMatching('UNAVAILABLE|TIMEOUT') })
  return calls
}

describeWith('a server that is away', redisProcess, (server) => {
  it('is used within two seconds after it is back, and gets no call that was given up', async () => {
    const store = storeOf({ url: server.url, operationTimeout: 500 })
    await store.ping()
    await server.kill()
    let saves = 0
    await failFor(4000, () => store.set(`id-${saves++}`, plain()))
    await server.start()
    const back = performance.now()
    await vi.waitFor(() => store.ping(), { timeout: 30_000, interval: 10 })
    expect(performance.now() - back).toBeLessThan(2000)
    // A save that still waited would have been sent before this call.
    expect(await store.length()).toBe(0)
  })

  it('is waited for while it starts again', async () => {
    const store = storeOf({ url: server.url })
    await store.ping()
    await server.kill()
    const [time] = await Promise.all([store.ping(), server.start()])
    expect(time).not.toBe(null)
  })
})

it('a server that closes every connection is tried a few times a second', async () => {
  let made = 0
  const closing = createServer((socket) => {
    made++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  after(() => closing.close())
  await once(closing, 'listening')
  const { port } = closing.address() as AddressInfo
  const store = storeOf({ url: `redis://127.0.0.1:${port}` })
  const calls = await failFor(2000, () => store.get('the-id'))
  expect(calls).toBeGreaterThan(20)
  expect(made).toBeGreaterThan(4)
  expect(made).toBeLessThan(16)
})

const now = Date.now()
const texts = { data: '{}', user: null, createdAt: now, expiresAt: now + HOUR }

describeWith('a server that hangs', redisProcess, (server) => {
  it('is left before the time limit ends, whatever the limit', async () => {
    const driver = redisDriver({ url: server.url })
    after(() => driver.close())
    await driver.setup()
    for (const limit of [400, 1500]) {
      await driver.setup(limit)
      server.pause()
      try {
        const start = performance.now()
        expect(await Promise.resolve(driver.read(['a'])).catch(codeOf)).toBe('UNAVAILABLE')
        expect(performance.now() - start).toBeGreaterThan(limit * 0.5)
        expect(performance.now() - start).toBeLessThan(limit)
      } finally {
        server.resume()
      }
      await vi.waitFor(() => driver.ping(), { timeout: 30_000, interval: 10 })
    }
  })

  it('does no call after its time limit that waited for the server and then in it', async () => {
    const observer = new Redis(server.url)
    after(() => observer.disconnect())
    const driver = redisDriver({ url: server.url })
    after(() => driver.close())
    const timeLimit = 2000
    await driver.setup(timeLimit)
    await driver.clear()
    await observer.call('CLIENT', 'PAUSE', 60_000, 'WRITE')
    await observer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    server.pause()
    const start = performance.now()
    const passed = (share: number) => vi.waitUntil(() => performance.now() > start + share * timeLimit, 5000)
    const call = Promise.resolve(driver.write([{ ...texts, key: 'a', tag: 'a-1', expect: '' }], now))
    const answer = call.then(() => 'done', codeOf)
    // The connection can be checked only now, and then the server holds back all writes.
    await passed(0.5)
    server.resume()
    await passed(1.05)
    await observer.call('CLIENT', 'UNPAUSE')
    expect(await answer).toBe('UNAVAILABLE')
    expect(await driver.read(['a'])).toEqual([])
  })

  const limit = 600
  it.each(['of its own', ...libraries])(
    'does none of the calls of a client %s late that have failed',
    async (whose) => {
      const lent = whose === 'of its own' ? undefined : lend(whose as Library, { url: server.url })
      if (lent) after(lent.close)
      const driver = redisDriver(lent ? { client: lent.client } : { url: server.url })
      after(() => driver.close())
      await driver.setup(limit)
      await driver.clear()
      const keys = ['ended', 'saved', 'touched']
      const creates = keys.map((key) => ({ ...texts, key, tag: `${key}-1`, expect: '' }))
      expect(await driver.write(creates, now)).toEqual(keys)
      const before = await driver.read([...keys, 'new'])

      server.pause()
      const calls = [
        driver.write([{ ...texts, key: 'ended', tag: 'ended-2', data: null }], now),
        driver.write([{ ...texts, key: 'new', tag: 'new-1', expect: '' }], now),
        driver.write([{ ...texts, key: 'saved', tag: 'saved-2', expect: 'saved-1' }], now),
        driver.touch([{ key: 'touched', user: null, expiresAt: now + 2 * HOUR }], now),
        driver.clear(),
      ].map((call) => Promise.resolve<unknown>(call).then(() => 'done', codeOf))
      // The server goes on after the time of the calls, even on connections that were closed.
      const start = performance.now()
      await vi.waitUntil(() => performance.now() > start + 1.2 * limit)
      server.resume()
      expect(new Set(await Promise.all(calls))).toEqual(new Set(['UNAVAILABLE']))
      await vi.waitFor(() => driver.ping(), { timeout: 30_000, interval: 10 })
      expect(await driver.read([...keys, 'new'])).toEqual(before)
      // The clock is read again, so later calls work.
      expect(
        await driver.write([{ ...texts, key: 'saved', tag: 'saved-3', expect: 'saved-1' }], now),
      ).toEqual(['saved'])
    },
  )
})
