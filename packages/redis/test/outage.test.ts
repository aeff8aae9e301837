import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { crash, endure, hang } from '@session-stores/driver-suite/outage'
import { redisProcess, valkeyProcess } from '@session-stores/testbed'
import { after, describeWith, report } from '@session-stores/testbed/vitest'
import { describe, expect, it, vi } from 'vitest'
import { redisDriver } from '../src/index.ts'
import { lend, mainLibraries, nodeRedis } from './support/lent.ts'
import { start, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

/** Settings with which sessions outlive a restart. */
const durable = { args: ['--appendonly', 'yes'] }
const persistent = () => redisProcess(durable)

describeWith('Redis', persistent, (server) => {
  const clients = {
    "the store's own client": () => redisDriver({ url: server.url }),
    ...Object.fromEntries(
      mainLibraries.map((library) => [
        `a client that was lent, as ${library} makes it`,
        () => {
          const { client, close } = lend(library, { url: server.url })
          after(close)
          return redisDriver({ client })
        },
      ]),
    ),
  }

  describe.each(Object.entries(clients))('with %s', (_name, make) => {
    it('killed, and started again', async (context) => {
      const figures = await endure(make(), crash(server))
      report(context, { server: server.version, ...figures })
    })

    it('silent for a while', async (context) => {
      const figures = await endure(make(), hang(server))
      report(context, { server: server.version, ...figures })
      expect(figures).toMatchObject({ lost: 0, undone: 0 })
    })
  })

  it('calls fail at once, again and again, while the server is down', async () => {
    const store = storeOf({ url: server.url, operationTimeout: 60_000 })
    await store.ping()
    await server.kill()
    try {
      for (let i = 0; i < 20; i++) {
        const failure = await store.get('the-id').catch((error) => error)
        expect(failure).toMatchObject({ code: 'UNAVAILABLE', cause: { code: 'ECONNREFUSED' } })
      }
    } finally {
      await server.start()
    }
    await vi.waitFor(() => store.ping(), { timeout: 30_000, interval: 10 })
  })

  it('another connection replaces one that died without being closed', async () => {
    const made: Socket[][] = []
    const relay = createServer((near) => {
      const far = connect(Number(new URL(server.url).port), '127.0.0.1')
      near.pipe(far).pipe(near)
      made.push([near, far])
    }).listen(0, '127.0.0.1')
    after(() => {
      relay.close()
      for (const socket of made.flat()) socket.destroy()
    })
    await once(relay, 'listening')
    const { port } = relay.address() as AddressInfo
    const store = storeOf({ url: `redis://127.0.0.1:${port}`, operationTimeout: 2000 })
    await store.set('the-id', plain({ name: 'Ada' }))
    for (const socket of made.flat()) socket.unpipe()
    expect(await store.get('the-id')).toMatchObject({ name: 'Ada' })
    expect(made).toHaveLength(2)
  })

  it.each(nodeRedis)(
    'calls do not keep a dead connection of a client of %s that was lent',
    async (library) => {
      const made: Socket[][] = []
      const relay = createServer((near) => {
        const far = connect(Number(new URL(server.url).port), '127.0.0.1')
        near.on('error', () => {}).pipe(far)
        far.on('error', () => {}).pipe(near)
        made.push([near, far])
      }).listen(0, '127.0.0.1')
      await once(relay, 'listening')
      const { client, close } = lend(library, {
        url: `redis://127.0.0.1:${(relay.address() as AddressInfo).port}`,
      })
      const store = storeOf({ client, operationTimeout: 1000 })
      const load = setInterval(() => store.get('the-id').catch(() => {}), 20)
      after(() => {
        clearInterval(load)
        close()
        relay.close()
        for (const socket of made.flat()) socket.destroy()
      })
      await store.set('the-id', plain({ name: 'Ada' }))
      for (const [near, far] of made) {
        near!.unpipe()
        far!.unpipe()
      }
      await vi.waitFor(() => store.get('the-id'), { timeout: 30_000, interval: 10 })
      expect(made).toHaveLength(2)
    },
  )

  it('a server that closes every connection is UNAVAILABLE', async () => {
    const closing = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
    after(() => closing.close())
    await once(closing, 'listening')
    const { port } = closing.address() as AddressInfo
    const store = storeOf({ url: `redis://127.0.0.1:${port}`, operationTimeout: 60_000 })
    for (let i = 0; i < 20; i++)
      await expect(store.get('the-id')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('10,000 calls a second to a server that hangs take bounded memory', async () => {
    const { child, ended } = start('flood', server.url, ['--expose-gc'])
    ended.catch(() => {})
    await once(child, 'message')
    server.pause()
    try {
      child.send('go')
      const reports: { made: number; ended: Record<string, number>; megabytes: number }[] = []
      child.on('message', (message) => reports.push(message as never))
      await vi.waitFor(() => expect(reports).toHaveLength(6), { timeout: 30_000, interval: 10 })
      const last = reports.at(-1)!
      expect(last.ended).toMatchObject({ OVERLOADED: expect.any(Number), TIMEOUT: expect.any(Number) })
      expect(last.ended).not.toHaveProperty('done')
      // Half of the calls carry 10,000 characters.
      const sentMegabytes = (last.made / 2) * 0.01
      expect(last.megabytes).toBeLessThan(sentMegabytes / 4)
    } finally {
      server.resume()
    }
    await ended
  })
})

describeWith(
  'Valkey',
  () => valkeyProcess(durable),
  (server) => {
    it.for([
      ['killed, and started again', crash(server)],
      ['silent for a while', hang(server)],
    ] as const)('%s', async ([, outage], context) => {
      const figures = await endure(redisDriver({ url: server.url }), outage)
      report(context, { server: server.version, ...figures })
    })
  },
)
