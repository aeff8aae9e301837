import { type Awaitable, UncertainWriteError } from '@session-stores/core'
import { lostReplySuite } from '@session-stores/driver-suite'
import { type FaultyProxy, redisCluster, redisProcess, startProxy } from '@session-stores/testbed'
import { HOUR, sessionsAt } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type RedisOptions, redisDriver } from '../src/index.ts'

const now = Date.now()
const session = sessionsAt(now)
const create = (key: string) => session(key, { tag: `${key}-1`, expect: '' })
const update = (key: string, tag: string, expect: string) => session(key, { tag, expect })

/** Makes a driver, and a write by which the server learns the script. */
async function driverOf(options: RedisOptions) {
  const driver = redisDriver(options)
  after(() => driver.close())
  await driver.write([create('c')], now)
  return driver
}

const failureOf = (call: Awaitable<unknown>) => Promise.resolve(call).catch((error: unknown) => error)

function lendClient(port: number) {
  const client = new Redis(port, '127.0.0.1')
  client.on('error', () => {})
  after(() => client.disconnect())
  return client
}

describeWith('a reply that is lost', redisProcess, ({ url }) => {
  afterEach(async () => {
    const observer = new Redis(url)
    await observer.flushall()
    observer.disconnect()
  })

  const clients: Record<string, (proxy: FaultyProxy) => RedisOptions> = {
    'of its own': (proxy) => ({ url: proxy.url }),
    'that was lent': (proxy) => ({ client: lendClient(proxy.port) }),
  }

  /** Keeps the next reply back, waits for `meanwhile`, and cuts the connection. */
  function lose(proxy: FaultyProxy, meanwhile: () => unknown): void {
    proxy
      .loseNextReply({ cut: false })
      .then(meanwhile)
      .finally(() => proxy.cut())
  }

  async function openProxy(): Promise<FaultyProxy> {
    const proxy = await startProxy(url)
    after(() => proxy.stop())
    return proxy
  }

  describe.each(Object.entries(clients))('with a client %s', (_, optionsOf) => {
    it('causes a resend, and a write that had landed counts once', async () => {
      const proxy = await openProxy()
      const driver = await driverOf(optionsOf(proxy))
      const other = await driverOf({ url })
      const moved = { key: 'a', user: null, expiresAt: now + 5 * HOUR }
      lose(proxy, () => other.touch([moved], now))
      expect(await driver.write([create('a'), create('b')], now)).toEqual(['a', 'b'])
      const [row] = await other.read(['a'])
      expect(row).toMatchObject({ tag: 'a-1', expiresAt: moved.expiresAt })
    })

    it('makes a write uncertain where another request has written meanwhile', async () => {
      const proxy = await openProxy()
      const driver = await driverOf(optionsOf(proxy))
      const other = await driverOf({ url })
      await driver.write([create('a'), create('b')], now)
      lose(proxy, () => other.write([update('a', 'theirs', 'a-2')], now))
      const error = await failureOf(driver.write([update('a', 'a-2', 'a-1'), update('b', 'b-2', 'b-1')], now))
      expect(error).toBeInstanceOf(UncertainWriteError)
      expect(error).toHaveProperty('landed', ['b'])
      expect(await other.read(['a', 'b'])).toMatchObject([{ tag: 'theirs' }, { tag: 'b-2' }])
    })

    it('is not assumed where no connection broke: a refusal stays a refusal', async () => {
      const proxy = await openProxy()
      const driver = await driverOf(optionsOf(proxy))
      await driver.write([create('a')], now)
      expect(await driver.write([update('a', 'a-2', 'unknown')], now)).toEqual([])
    })

    lostReplySuite({ describe, it }, async () => {
      const proxy = await openProxy()
      const driver = redisDriver(optionsOf(proxy))
      after(() => driver.close())
      return { driver, loseNextReply: () => proxy.loseNextReply() }
    })
  })
})

describeWith('a reply of a Redis Cluster that is lost', redisCluster, ({ addresses }) => {
  it('makes a refused write uncertain', async () => {
    const client = new Cluster([...addresses])
    const observer = new Cluster([...addresses])
    after(() => client.disconnect())
    after(() => observer.disconnect())
    const driver = redisDriver({ client })
    const other = redisDriver({ client: observer })
    expect(await driver.write([create('a')], now)).toEqual(['a'])
    const written = failureOf(driver.write([update('a', 'a-2', 'a-1')], now))
    for (const node of client.nodes('master')) node.stream.destroy()
    const hasLanded = async () => expect(await other.read(['a'])).toMatchObject([{ tag: 'a-2' }])
    await vi.waitFor(hasLanded, { interval: 1 })
    expect(await other.write([update('a', 'theirs', 'a-2')], now)).toEqual(['a'])
    expect(await written).toBeInstanceOf(UncertainWriteError)
  })
})
