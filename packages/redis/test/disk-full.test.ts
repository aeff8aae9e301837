import { describeWith, smallDisk } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { servers, storeOf } from './support/servers.ts'
import { plain } from './support/session.ts'

const large = () => plain({ text: 'x'.repeat(250_000) })

describe.each(servers)('%s', (_, start) => {
  const durable = () => start({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] })
  describeWith('a disk that is full', durable, (server) => {
    it('refuses saves until there is room', async (context) => {
      const resize = await smallDisk(server, '4m', context)
      const store = storeOf({ url: server.url })
      const answered: string[] = []
      const fill = async () => {
        for (let i = 0; i < 200; i++) {
          await store.set(`id-${i}`, large())
          answered.push(`id-${i}`)
        }
      }
      const refused = { code: 'STORAGE_FULL', cause: expect.any(Error) }
      await expect(fill()).rejects.toMatchObject(refused)
      expect(answered.length).toBeGreaterThan(5)
      await expect(store.destroy('id-0')).rejects.toMatchObject(refused)
      expect(await store.length()).toBe(answered.length)

      resize('100m')
      await expect.poll(() => store.set('after', large()).then(() => 'works')).toBe('works')
      for (const id of answered) expect(await store.get(id)).not.toBe(null)
    })
  })
})
