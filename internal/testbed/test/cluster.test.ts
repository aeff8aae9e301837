import { Cluster, Redis } from 'ioredis'
import { expect, test, vi } from 'vitest'
import { redisCluster } from '../src/cluster.ts'
import { describeWith } from '../src/vitest.ts'

describeWith(
  'a cluster',
  () => redisCluster({ masters: 3, replicas: 1, nodeTimeout: 1000 }),
  (cluster) => {
    test('accepts writes on every master from the first call', async () => {
      const client = new Cluster([...cluster.addresses], { redisOptions: { maxRetriesPerRequest: 0 } })
      try {
        await Promise.all(Array.from({ length: 50 }, (_, i) => client.set(`key ${i}`, i)))
        const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()))
        expect(sizes).toHaveLength(3)
        expect(sizes.reduce((sum, size) => sum + size)).toBe(50)
        expect(Math.min(...sizes)).toBeGreaterThan(0)
        expect(client.nodes('slave')).toHaveLength(3)
      } finally {
        client.disconnect()
      }
    })

    test('promotes a replica when its master dies', async () => {
      await cluster.nodes[0]!.kill()
      const replica = new Redis(cluster.nodes[3]!.url)
      try {
        await vi.waitFor(
          async () => expect(await replica.info('replication')).toContain('role:master'),
          30_000,
        )
        await vi.waitFor(
          async () => expect(await replica.cluster('INFO')).toContain('cluster_state:ok'),
          30_000,
        )
      } finally {
        replica.disconnect()
      }
    })
  },
)
