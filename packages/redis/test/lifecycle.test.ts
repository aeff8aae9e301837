import { redisProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { RedisStore } from '../src/index.ts'
import { start } from './support/servers.ts'
import { plain } from './support/session.ts'

describeWith('a client', redisProcess, (server) => {
  const observer = new Redis(server.url)
  const connections = async () => ((await observer.call('CLIENT', 'LIST')) as string).match(/^id=/gm)!.length

  it('of the store is opened by the first call and closed with the store', async () => {
    const before = await connections()
    const store = new RedisStore({ url: server.url })
    expect(await connections()).toBe(before)
    await store.set('the-id', plain())
    expect(await connections()).toBe(before + 1)
    await store.close()
    await expect.poll(connections).toBe(before)
  })

  it('that was lent stays open', async () => {
    const client = new Redis(server.url)
    after(() => client.disconnect())
    const store = new RedisStore({ client })
    await store.set('the-id', plain({ name: 'Ada' }))
    await store.close()
    expect(await client.get(`sess:${store.handle('the-id')}`)).toMatch('"name":"Ada"')
  })

  describe('keeps no process alive', () => {
    it('that has used it and waits for nothing more', async () => {
      expect(await start('use', server.url).ended).toMatch("name: 'Ada'")
    })

    it('while its server is down', async () => {
      const url = 'redis://127.0.0.1:1'
      expect(await start('use', url).ended).toBe('UNAVAILABLE')
    })

    it('while its server hangs', async () => {
      server.pause()
      try {
        expect(await start('use', server.url).ended).toBe('UNAVAILABLE')
      } finally {
        server.resume()
      }
    })
  })
})
