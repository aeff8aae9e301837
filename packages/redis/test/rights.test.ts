import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { servers, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

describe.each(servers)('%s', (_, start) => {
  describeWith('a user with the rights of the README', start, (server) => {
    it('can do whatever a store does', async () => {
      const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')
      const [, rights] = /^ACL (SETUSER [^`]*)/m.exec(readme)!
      const observer = new Redis(server.url)
      after(() => observer.disconnect())
      await observer.call('ACL', ...rights!.trim().split(/\s+/))
      const store = storeOf({
        url: `redis://sessions:password@127.0.0.1:${server.port}/1`,
        user: () => 'ada',
      })
      await store.set('the-id', plain({ name: 'Ada' }))
      await store.set('another', plain())
      await store.touch('the-id', plain())
      expect(await store.get('the-id')).toMatchObject({ name: 'Ada' })
      expect(await store.length()).toBe(2)
      expect((await store.list({ user: 'ada' })).sessions).toHaveLength(2)
      await store.destroy('the-id')
      await store.clear()
      expect(await store.ids()).toEqual([])
      // ioredis tells Redis its version where it may; nothing else may be refused.
      const log = (await observer.call('ACL', 'LOG')) as string[][]
      expect(
        log.map((entry) => entry[entry.indexOf('object') + 1]).filter((name) => !/^client/.test(name!)),
      ).toEqual([])
    })
  })
})
