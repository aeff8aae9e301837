import { randomBytes } from 'node:crypto'
import { mongoProcess } from '@session-stores/testbed'
import { after, describeWith, smallDisk } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { MongoStore } from '../src/index.ts'

const sparing = () =>
  mongoProcess({ args: ['--wiredTigerEngineConfigString', 'log=(file_max=1MB,prealloc=false)'] })

/** A session of about half a megabyte, which does not compress. */
const large = () => ({
  cookie: { originalMaxAge: null, path: '/' },
  text: randomBytes(256 * 1024).toString('hex'),
})

describeWith('a disk that is full', sparing, (server) => {
  it('loses nothing that was answered', async (context) => {
    const resize = await smallDisk(server, '24m', context)
    const url = `${server.url}?serverSelectionTimeoutMS=500`
    const store = new MongoStore({ url, pruneInterval: false })
    after(() => store.close())
    const answered: string[] = []
    const fill = async () => {
      for (let i = 0; i < 200; i++) {
        await store.set(`id-${i}`, large())
        answered.push(`id-${i}`)
      }
    }
    // MongoDB ends itself where it cannot write its journal, unless it noticed before.
    await expect(fill()).rejects.toMatchObject({
      code: expect.stringMatching(/^(UNAVAILABLE|STORAGE_FULL)$/),
      cause: expect.any(Error),
    })
    expect(answered.length).toBeGreaterThan(5)

    resize('200m')
    await server.kill()
    await server.start()
    await expect
      .poll(() => store.set('after', large()).then(() => 'works'), { timeout: 20_000 })
      .toBe('works')
    for (const id of answered) expect(await store.get(id)).not.toBe(null)
  })
})
