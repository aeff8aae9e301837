import { redisCluster, redisSentinel } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { Load, until, works } from './load.ts'
import { after, storeOf } from './support.ts'

const TIMEOUT = 500

async function survives(load: Load, kill: () => Promise<void>): Promise<void> {
  await works(load)
  await kill()
  await until(() => expect(load.failures()).toBeGreaterThan(100))
  await works(load)
  await load.stop()
  expect(load.unexpected()).toEqual([])
  expect(load.surplus).toBe(0)
  expect(load.longest).toBeLessThan(10 * TIMEOUT)
}

describeWith('Sentinel', redisSentinel, ({ addresses, name, nodes }) => {
  it('leads to the replica that took over', async () => {
    const client = new Redis({ sentinels: [...addresses], name, maxRetriesPerRequest: 2 })
    client.on('error', () => {})
    after(() => client.disconnect())
    const load = new Load(storeOf({ client, operationTimeout: TIMEOUT }))
    await survives(load, () => nodes[0]!.kill())
  })
})

const replicated = () => redisCluster({ replicas: 1, nodeTimeout: 1000 })

describeWith('a Redis Cluster', replicated, ({ addresses, nodes }) => {
  it('goes on with the replica that took over', async () => {
    const client = new Cluster([...addresses])
    client.on('error', () => {})
    after(() => client.disconnect())
    const store = storeOf({ client, operationTimeout: TIMEOUT })
    const load = new Load(store)
    await survives(load, () => nodes[0]!.kill())
    await store.clear()
    expect(await store.length()).toBe(0)
  })
})
