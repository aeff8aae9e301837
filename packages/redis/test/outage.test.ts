import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { Load, until, works } from './load.ts'
import { after, start, storeOf } from './support.ts'

const TIMEOUT = 500

describeWith('an outage of Redis', redisProcess, (server) => {
  const clients = {
    "the store's own client": () => storeOf({ url: server.url, operationTimeout: TIMEOUT }),
    'a client that was lent, as ioredis makes it': () => {
      const client = new Redis(server.url)
      client.on('error', () => {})
      after(() => client.disconnect())
      return storeOf({ client, operationTimeout: TIMEOUT })
    },
  }

  describe.each(Object.entries(clients))('with %s', (_name, make) => {
    it('a server that dies and comes back', async () => {
      const load = new Load(make())
      await works(load)
      await server.kill()
      await until(() => expect(load.failures()).toBeGreaterThan(1000))
      await server.start()
      await works(load)
      await load.stop()
      expect(load.unexpected()).toEqual([])
      expect(load.surplus).toBe(0)
      // Far above, for a machine that is busy; far below a call that hangs.
      expect(load.longest).toBeLessThan(5 * TIMEOUT)
    })

    it('a server that hangs and goes on', async () => {
      const load = new Load(make())
      await works(load)
      server.pause()
      try {
        await until(() => expect(load.failed.TIMEOUT).toBeGreaterThan(1000))
      } finally {
        server.resume()
      }
      await works(load)
      await load.stop()
      expect(load.unexpected()).toEqual([])
      expect(load.surplus).toBe(0)
      expect(load.longest).toBeLessThan(5 * TIMEOUT)
    })
  })

  it('a server that is down is told at once, again and again', async () => {
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
    await until(() => store.ping())
  })

  it('a server that closes every connection is an error', async () => {
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
      const told: { made: number; ended: Record<string, number>; megabytes: number }[] = []
      child.on('message', (message) => told.push(message as never))
      await until(() => expect(told).toHaveLength(6))
      const last = told.at(-1)!
      expect(last.ended).toMatchObject({ OVERLOADED: expect.any(Number), TIMEOUT: expect.any(Number) })
      expect(last.ended).not.toHaveProperty('done')
      // Half of the calls carry 10,000 characters.
      const all = (last.made / 2) * 0.01
      expect(last.megabytes).toBeLessThan(all / 4)
    } finally {
      server.resume()
    }
    await ended
  })
})
