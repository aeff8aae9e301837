import { execFileSync } from 'node:child_process'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, expect, it } from 'vitest'
import { plain } from './plain.ts'
import { after, makes, storeOf } from './support.ts'

const durable = { args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] }
const large = () => plain({ text: 'x'.repeat(250_000) })
const isRoot = process.getuid?.() === 0

describe.each(makes)('%s', (_, start) => {
  describeWith(
    'a disk that is full',
    () => start(durable),
    (server) => {
      it.skipIf(!isRoot)(
        'takes no saves, and all when there is room (only root can mount a small disk)',
        async () => {
          const size = (limit: string, ...more: string[]) =>
            execFileSync('mount', [
              '-t',
              'tmpfs',
              '-o',
              [...more, `size=${limit}`].join(),
              'tmpfs',
              server.folder,
            ])
          await server.kill()
          size('4m')
          after(async () => {
            await server.kill()
            execFileSync('umount', [server.folder])
          })
          await server.start()
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

          size('100m', 'remount')
          await expect
            .poll(() => store.set('after', large()).then(() => 'works'), { timeout: 20_000 })
            .toBe('works')
          for (const id of answered) expect(await store.get(id)).not.toBe(null)
        },
      )
    },
  )
})
