import { HOUR, keysOf } from '@session-stores/testbed/rows'
import { after, describeWith } from '@session-stores/testbed/vitest'
import { expect, it, vi } from 'vitest'
import { MongoStore } from '../src/index.ts'
import { clientOf, startThree } from './support/servers.ts'

const session = { cookie: { originalMaxAge: HOUR, path: '/' }, name: 'Ada' } as never

describeWith('a replica set whose majority does not follow', startThree, (set) => {
  it('answers lookups while no write is acknowledged', async () => {
    const options = { url: set.url, pruneInterval: false } as const
    const ids = keysOf(500)
    // The setup and so many saves at once may take longer than the calls under test.
    const patient = new MongoStore(options)
    after(() => patient.close())
    await Promise.all(ids.map((id) => patient.set(id, session)))
    const store = new MongoStore({ ...options, operationTimeout: 1000 })
    after(() => store.close())
    await vi.waitFor(() => store.ping(), 20_000)
    const primary = await set.primary()
    const admins = set.nodes
      .filter((node) => node !== primary)
      .map(({ url }) => clientOf(url.replace('replicaSet=rs', 'directConnection=true')).db('admin'))
    // The secondaries are alive and vote, but write nothing.
    for (const admin of admins) await admin.command({ fsync: 1, lock: true })
    after(() => Promise.all(admins.map((admin) => admin.command({ fsyncUnlock: 1 }))))

    const codes = new Set<string>()
    const writes: Promise<unknown>[] = []
    // This is longer than a write waits for the majority.
    const end = performance.now() + 6000
    for (let i = 0; performance.now() < end; i++) {
      const id = ids[i % ids.length]!
      const write = i % 2 === 0 ? store.set(`${id}-new`, session) : store.touch(id, session)
      writes.push(write.catch(({ code }) => codes.add(code)))
      expect(await store.get(id)).toMatchObject({ name: 'Ada' })
    }
    await Promise.all(writes)
    expect([...codes]).toEqual(['TIMEOUT'])
  })
})
