import { redisProcess } from '@session-stores/testbed'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { RedisStore } from '../src/index.ts'
import { lend, libraries, nodeRedis } from './support/lent.ts'
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

  it.each(libraries)('of %s that was lent stays open', async (library) => {
    const { client, close } = lend(library, { url: server.url })
    after(close)
    const store = new RedisStore({ client })
    await store.set('the-id', plain({ name: 'Ada' }))
    await store.close()
    const { get } = client as unknown as Redis
    expect(await get.call(client, `sess:${store.handle('the-id')}`)).toMatch('"name":"Ada"')
  })

  it.each(nodeRedis)(
    'of %s that its owner closes fails calls at once, until it connects again',
    async (library) => {
      const lent = lend(library, { url: server.url })
      after(lent.close)
      const client = lent.client as unknown as { close(): Promise<void>; connect(): Promise<unknown> }
      const store = new RedisStore({ client: lent.client, operationTimeout: 60_000 })
      after(() => store.close())
      await store.set('the-id', plain({ name: 'Ada' }))
      await client.close()
      await expect(store.get('the-id')).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('write await client.connect()'),
      })
      await client.connect()
      expect(await store.get('the-id')).toMatchObject({ name: 'Ada' })
    },
  )

  it.each(nodeRedis)('of %s without a listener for errors ends no process', async (library) => {
    const { child, ended } = start('break', server.url, [], library)
    let complaint = ''
    child.stderr!.on('data', (text) => {
      complaint += text
    })
    expect(await ended).toMatch("name: 'Ada'")
    // Nobody else would have said it.
    expect(complaint).toMatch('[redis] Unhandled error event')
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
