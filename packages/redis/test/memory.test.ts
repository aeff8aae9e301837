import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { servers, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

describe.each(servers)('%s', (_, start) => {
  describeWith('a server that is out of memory', start, (server) => {
    const observer = new Redis(server.url)
    afterAll(() => observer.disconnect())

    it('refuses saves until it has memory, and takes touches and logouts', async () => {
      const store = storeOf({ url: server.url, user: () => 'ada' })
      after(() => store.clear())
      const ids = Array.from({ length: 20 }, (_, i) => `id-${i}`)
      await Promise.all(ids.map((id) => store.set(id, plain({ id }))))
      await observer.config('SET', 'maxmemory', '1')
      after(() => observer.config('SET', 'maxmemory', '0'))
      expect(await store.set('new', plain()).catch((error) => error)).toMatchObject({ code: 'STORAGE_FULL' })
      expect(await store.set('id-1', plain()).catch((error) => error)).toMatchObject({ code: 'STORAGE_FULL' })
      expect(await store.get('id-1')).toMatchObject({ id: 'id-1' })
      expect(await store.length()).toBe(20)
      const later = plain()
      later.cookie.originalMaxAge = 5 * 86_400_000
      await store.touch('id-2', later)
      // This key lives long enough already, so its TTL stays.
      const soon = plain()
      soon.cookie.expires = new Date(Date.now() + 86_400_000 + 1000)
      await store.touch('id-4', soon)
      await store.destroy('id-3')
      await observer.config('SET', 'maxmemory', '0')
      expect(await store.get('id-3')).toBe(null)
      await expect(store.set('id-3', plain())).rejects.toMatchObject({ code: 'GONE' })
      expect(await store.get('id-3')).toBe(null)
      const { sessions } = await store.list({ user: 'ada' })
      expect(sessions).toHaveLength(19)
      const touched = sessions.find(({ handle }) => handle === store.handle('id-2'))!
      expect(touched.expiresAt).toBeGreaterThan(Date.now() + 4 * 86_400_000)
      expect(sessions.find(({ handle }) => handle === store.handle('id-4'))!.expiresAt).toBeGreaterThan(
        soon.cookie.expires.getTime() - 1,
      )
      await store.set('new', plain())
      expect(await store.length()).toBe(20)
    })
  })
})
