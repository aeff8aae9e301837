import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { redisProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { describe, expect, it, vi } from 'vitest'
import type { RedisStore } from '../src/index.ts'
import { plain } from './plain.ts'
import { after, start, storeOf } from './support.ts'

const until = (check: () => unknown) => vi.waitFor(check, { timeout: 30_000, interval: 10 })

const verbs = ['get', 'set', 'touch', 'destroy'] as const

/** Several hundred calls at once, all the time, each with a session of its own. */
class Load {
  readonly succeeded = { get: 0, set: 0, touch: 0, destroy: 0 }
  readonly failed: Record<string, number> = {}
  /** The longest time that a call took, in milliseconds. */
  longest = 0
  /** How many callbacks came for a call that had one already. */
  surplus = 0
  #store: RedisStore
  #calls = 0
  #open = 0
  #on = true

  constructor(store: RedisStore) {
    this.#store = store
    for (let i = 0; i < 400; i++) this.#call()
  }

  /** Ends when all calls have. */
  async stop(): Promise<void> {
    this.#on = false
    await until(() => expect(this.#open).toBe(0))
  }

  #call(): void {
    if (!this.#on) return
    const verb = verbs[this.#calls % verbs.length]!
    const id = `id-${Math.floor(this.#calls++ / verbs.length) % 1000}`
    const start = performance.now()
    let answered = false
    this.#open++
    const callback = (error: unknown): void => {
      if (answered) this.surplus++
      if (answered) return
      answered = true
      this.#open--
      this.longest = Math.max(this.longest, performance.now() - start)
      if (error === null) this.succeeded[verb]++
      else {
        const code = String((error as { code?: unknown }).code)
        this.failed[code] = (this.failed[code] ?? 0) + 1
      }
      setImmediate(() => this.#call())
    }
    if (verb === 'get' || verb === 'destroy') this.#store[verb](id, callback)
    else this.#store[verb](id, plain({ id, more: 'x'.repeat(300) }), callback)
  }
}

/** Calls of every verb succeed from now on. */
async function works({ succeeded }: Load): Promise<void> {
  const before = { ...succeeded }
  await until(() => {
    for (const verb of verbs) expect(succeeded[verb]).toBeGreaterThan(before[verb] + 500)
  })
}

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
      await until(() => expect(Object.values(load.failed).reduce((a, b) => a + b, 0)).toBeGreaterThan(1000))
      await server.start()
      await works(load)
      await load.stop()
      expect(Object.keys(load.failed).filter((code) => code !== 'UNAVAILABLE' && code !== 'TIMEOUT')).toEqual(
        [],
      )
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
      expect(Object.keys(load.failed)).toEqual(['TIMEOUT'])
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
      expect(Object.keys(last.ended).sort()).toEqual(['OVERLOADED', 'TIMEOUT'])
      // Half of the calls carry 10,000 characters.
      const all = (last.made / 2) * 0.01
      expect(last.megabytes).toBeLessThan(all / 2)
    } finally {
      server.resume()
    }
    await ended
  })
})
