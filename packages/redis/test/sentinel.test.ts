import { redisSentinel, startProxy } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { expect, it, vi } from 'vitest'
import { storeOf } from './support/servers.ts'

const patience = { timeout: 30_000, interval: 10 }

describeWith('Redis Sentinel', redisSentinel, ({ name, sentinels }) => {
  /** Makes a client whose Sentinels are behind proxies, and that hears of each failover. */
  async function startClient() {
    const proxies = await Promise.all(sentinels.map((each) => startProxy(each)))
    const client = new Redis({
      sentinels: proxies.map(({ port }) => ({ host: '127.0.0.1', port })),
      name,
      failoverDetector: true,
      maxRetriesPerRequest: 2,
      retryStrategy: () => 50,
    })
    client.on('error', () => {})
    after(async () => {
      client.disconnect()
      await Promise.all(proxies.map((proxy) => proxy.stop()))
    })
    return { client, proxies }
  }

  /** Has the client ask the first Sentinel, which does not answer, while the others report a failover. */
  async function failOver({ client, proxies }: Awaited<ReturnType<typeof startClient>>): Promise<void> {
    const [silent, ...others] = proxies as [(typeof proxies)[0], ...typeof proxies]
    silent.pause('toClient')
    client.stream.destroy()
    await vi.waitUntil(() => client.status === 'connecting', patience)
    const sentinel = new Redis(sentinels[1]!.url)
    await vi.waitFor(() => sentinel.call('SENTINEL', 'FAILOVER', name), patience)
    sentinel.disconnect()
    // The client closes these connections when it hears of the failover.
    await Promise.all(others.map((proxy) => proxy.until(({ open }) => open === 0, 30_000)))
    silent.resume()
  }

  /** Makes a store on a client that hears of a failover while it asks for the master. */
  async function strike(onGivenUp: (client: Redis) => void) {
    const lent = await startClient()
    const { client } = lent
    client.on('error', ({ message }) => message === 'Connection is closed.' && onGivenUp(client))
    const store = storeOf({ client })
    const subscribed = new Promise((resolve) => client.once('failoverSubscribed', resolve))
    await store.ping()
    await subscribed
    await failOver(lent)
    return { client, store }
  }

  it('a client of ioredis that hears of a failover while it connects is used again', async () => {
    const { store } = await strike(() => {})
    await vi.waitFor(() => store.ping(), patience)
  })

  it('a client of ioredis stays closed that its owner closes then', async () => {
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    const { client, store } = await strike((given) => {
      given.once('end', () => resolve())
      given.disconnect()
    })
    await ended
    await expect(store.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(client.status).toBe('end')
  })
})
