import { MongoClient } from 'mongodb'
import { expect, test } from 'vitest'
import { mongoReplicaSet } from '../src/replica-set.ts'
import { describeWith } from '../src/vitest.ts'

async function hello(url: string): Promise<Record<string, unknown>> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 })
  try {
    return await client.db('admin').command({ hello: 1 })
  } finally {
    await client.close()
  }
}

describeWith('a replica set of one member', mongoReplicaSet, (server) => {
  test('has a primary, also after a restart', async () => {
    expect(await hello(server.url)).toMatchObject({ setName: 'rs', isWritablePrimary: true })
    await server.kill()
    await server.start()
    expect(await hello(server.url)).toMatchObject({ setName: 'rs', isWritablePrimary: true })
  })
})

describeWith(
  'a replica set of three members',
  () => mongoReplicaSet({ members: 3 }),
  (set) => {
    test('elects another primary when its own dies, and readmits the restarted member', async () => {
      const hosts = set.nodes.map(({ port }) => `127.0.0.1:${port}`)
      expect(await hello(set.url)).toMatchObject({ setName: 'rs', hosts, isWritablePrimary: true })
      const first = await set.primary()
      expect(set.nodes).toContain(first)
      await first.kill()
      const second = await set.primary()
      expect(second).not.toBe(first)
      expect(await hello(set.url)).toMatchObject({ me: `127.0.0.1:${second.port}`, isWritablePrimary: true })
      await first.start()
      expect(await hello(first.url)).toMatchObject({ hosts })
    })
  },
)
