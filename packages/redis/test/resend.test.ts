import { type Awaitable, type Driver, UncertainWriteError } from '@session-stores/core'
import { lostReplySuite } from '@session-stores/driver-suite'
import {
  type FaultyProxy,
  type ProcessServer,
  redisCluster,
  redisProcess,
  redisSentinel,
  startProxy,
} from '@session-stores/testbed'
import { HOUR, sessionsAt } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { type RedisOptions, redisDriver } from '../src/index.ts'
import { type Library, lend, libraries } from './support/lent.ts'
import { clientOf, type Place } from './support/place.ts'

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

function lendClient(library: Library, place: Place) {
  const { client, close } = lend(library, place)
  after(close)
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
  }
  for (const library of libraries)
    clients[`of ${library} that was lent`] = ({ url }) => ({ client: lendClient(library, { url }) })

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

/** Starts a proxy before each server, and returns the ports of the proxies. */
async function proxiesOf(servers: readonly ProcessServer[]) {
  const proxies = new Map<number, FaultyProxy>()
  for (const server of servers) {
    const proxy = await startProxy(server)
    after(() => proxy.stop())
    proxies.set(server.port, proxy)
  }
  const ports = new Map([...proxies].map(([port, proxy]) => [port, proxy.port]))
  return { proxies: [...proxies.values()], ports }
}

/** Loses the reply to an update on whatever server, after which somebody else writes the row. */
async function loseUpdate(driver: Driver, other: Driver, proxies: readonly FaultyProxy[]): Promise<unknown> {
  expect(await driver.write([create('a')], now)).toEqual(['a'])
  const lost = proxies.map((proxy) =>
    proxy.loseNextReply({ cut: false }).then(async () => {
      await other.write([update('a', 'theirs', 'a-2')], now)
      proxy.cut()
    }),
  )
  for (const each of lost) each.catch(() => {})
  return failureOf(driver.write([update('a', 'a-2', 'a-1')], now))
}

describeWith('a reply of a Redis Cluster that is lost', redisCluster, ({ addresses, nodes }) => {
  it.each(libraries)('makes a refused write uncertain with %s', async (library) => {
    const { proxies, ports } = await proxiesOf(nodes)
    const observer = clientOf({ addresses })
    after(() => observer.disconnect())
    const driver = redisDriver({ client: lendClient(library, { addresses, ports }), prefix: `${library}:` })
    const other = redisDriver({ client: observer, prefix: `${library}:` })
    expect(await loseUpdate(driver, other, proxies)).toBeInstanceOf(UncertainWriteError)
    expect(await other.read(['a'])).toMatchObject([{ tag: 'theirs' }])
  })
})

describeWith('a reply of a master behind Sentinels that is lost', redisSentinel, (servers) => {
  const { addresses: sentinels, name, nodes } = servers

  it.each(libraries)('makes a refused write uncertain with %s', async (library) => {
    const { proxies, ports } = await proxiesOf(nodes)
    const driver = redisDriver({
      client: lendClient(library, { sentinels, name, ports }),
      prefix: `${library}:`,
    })
    const other = redisDriver({ url: nodes[0]!.url, prefix: `${library}:` })
    after(() => other.close())
    expect(await loseUpdate(driver, other, proxies)).toBeInstanceOf(UncertainWriteError)
    expect(await other.read(['a'])).toMatchObject([{ tag: 'theirs' }])
    // Without a broken connection a refusal stays a refusal.
    expect(await driver.write([update('a', 'a-3', 'unknown')], now)).toEqual([])
  })
})
