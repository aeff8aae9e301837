import { randomBytes } from 'node:crypto'
import { mongoProcess } from '@session-stores/testbed'
import { after, describeWith, smallDisk } from '@session-stores/testbed/vitest'
import { expect, it } from 'vitest'
import { MongoStore } from '../src/index.ts'

const startSmall = () =>
  mongoProcess({ args: ['--wiredTigerEngineConfigString', 'log=(file_max=1MB,prealloc=false)'] })

/** Returns a session of about half a megabyte that does not compress. */
const largeSession = () => ({
  cookie: { originalMaxAge: null, path: '/' },
  text: randomBytes(256 * 1024).toString('hex'),
})

describeWith('a disk that is full', startSmall, (server) => {
  it('loses no acknowledged save', async (context) => {
    const resize = await smallDisk(server, '24m', context)
    const url = `${server.url}?serverSelectionTimeoutMS=500`
    const store = new MongoStore({ url, pruneInterval: false })
    after(() => store.close())
    const acknowledged: string[] = []
    const fill = async () => {
      for (let i = 0; i < 200; i++) {
        await store.set(`id-${i}`, largeSession())
        acknowledged.push(`id-${i}`)
      }
    }
    // MongoDB ends itself when it cannot write its journal, unless it refused the save before.
    await expect(fill()).rejects.toMatchObject({
      code: expect.stringMatching(/^(UNAVAILABLE|STORAGE_FULL)$/),
      cause: expect.any(Error),
    })
    expect(acknowledged.length).toBeGreaterThan(5)

    resize('200m')
    await server.kill()
    await server.start()
    await expect.poll(() => store.set('after', largeSession()).then(() => 'works')).toBe('works')
    for (const id of acknowledged) expect(await store.get(id)).not.toBe(null)
  })
})
