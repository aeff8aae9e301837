import type { Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import type { Chaos } from '../src/proxy.ts'
import { redisProcess } from '../src/redis.ts'
import { describeWith } from '../src/vitest.ts'
import { clientOf, dial, proxyTo } from './support/proxy.ts'

describeWith('chaos in front of a Redis', redisProcess, (server) => {
  const direct = new Redis(server.url)
  afterAll(() => direct.disconnect())
  beforeEach(() => direct.flushall())

  /**
   * Increments a counter 300 times through the proxy.
   * Returns `.` for each answered call and `x` for each fault.
   */
  async function countUnder(chaos: Chaos): Promise<string> {
    await direct.del('count')
    const proxy = await proxyTo(server)
    expect(proxy.chaos(chaos)).toBe(chaos.seed)
    let outcomes = ''
    let socket: Socket | undefined
    for (let i = 0; i < 300; i++) {
      socket ??= await dial(proxy.port)
      const { faults } = proxy
      const answered = new Promise((resolve) => socket!.once('data', resolve))
      const faulted = proxy.until((now) => now.faults > faults)
      faulted.catch(() => {})
      socket.write('INCR count\r\n')
      await Promise.race([answered, faulted])
      if (proxy.faults === faults) outcomes += '.'
      else {
        outcomes += 'x'
        socket.destroy()
        socket = undefined
      }
    }
    proxy.calm()
    const client = clientOf(proxy.url)
    for (let i = 0; i < 50; i++) expect(await client.ping()).toBe('PONG')
    return outcomes
  }

  const all = { loseReplies: 0.05, silences: 0.03, cuts: 0.03 }

  test('equal seeds give equal faults, until the chaos ends', async () => {
    const outcomes = await countUnder({ ...all, seed: 7 })
    expect(outcomes.match(/x/g)!.length).toBeGreaterThan(10)
    expect(outcomes.match(/\./g)!.length).toBeGreaterThan(200)
    expect(await countUnder({ ...all, seed: 7 })).toBe(outcomes)
    expect(await countUnder({ ...all, seed: 7, delay: 2 })).toBe(outcomes)
    expect(await countUnder({ ...all, seed: 8 })).not.toBe(outcomes)
  })

  test('if only replies are lost, the server executes all requests, and each loss ends its connection', async () => {
    const outcomes = await countUnder({ loseReplies: 0.1, seed: 1 })
    expect(outcomes).toContain('x')
    expect(await direct.get('count')).toBe('300')
  })

  test('a missing seed is chosen and written to stderr', async () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const proxy = await proxyTo(server)
    const seed = proxy.chaos({})
    expect(write.mock.calls).toEqual([[`proxy: chaos by the seed ${seed}\n`]])
    write.mockRestore()
    expect(await clientOf(proxy.url).ping()).toBe('PONG')
    expect(proxy.faults).toBe(0)
  })
})
