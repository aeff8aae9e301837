import { Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { redisSentinel } from '../src/sentinel.ts'
import { describeWith } from '../src/vitest.ts'

describeWith('Sentinel', redisSentinel, (watched) => {
  test('leads clients to the master, and to the promoted replica when the master dies', async () => {
    const client = new Redis({ sentinels: [...watched.addresses], name: watched.name, commandTimeout: 1000 })
    // Calls fail while there is no master. The test waits until they succeed again.
    client.on('error', () => {})
    try {
      await client.set('before', 'yes')
      expect(await client.wait(1, 0)).toBe(1)
      await watched.nodes[0]!.kill()
      await vi.waitFor(async () => expect(await client.set('after', 'yes')).toBe('OK'), 30_000)
      expect(await client.get('before')).toBe('yes')
      expect(await client.config('GET', 'port')).toEqual(['port', `${watched.nodes[1]!.port}`])
    } finally {
      client.disconnect()
    }
  })
})
