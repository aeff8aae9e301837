import { endure, replace, report } from '@session-stores/conformance'
import { redisCluster, redisSentinel } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { it } from 'vitest'
import { type RedisClient, redisDriver } from '../src/index.ts'
import { after } from './support.ts'

/** Lends it for one test. */
function driverOn(client: Redis | Cluster) {
  client.on('error', () => {})
  after(() => client.disconnect())
  return redisDriver({ client: client as RedisClient })
}

// Replication may lose what was acknowledged: how much is measured, and no promise.

describeWith('Redis Sentinel', redisSentinel, ({ addresses, name, nodes }) => {
  it('the master is killed', async (context) => {
    const client = new Redis({ sentinels: [...addresses], name, maxRetriesPerRequest: 2 })
    const figures = await endure(driverOn(client), { strike: () => nodes[0]!.kill() })
    report(context, { server: nodes[1]!.version, ...figures })
  })
})

const replicated = () => redisCluster({ replicas: 1, nodeTimeout: 1000 })

describeWith('Redis Cluster', replicated, ({ addresses, nodes }) => {
  it.for([
    ['a master is killed', { strike: () => nodes[0]!.kill() }],
    ['a master hangs, and returns', replace(nodes[1]!)],
  ] as const)('%s', async ([, outage], context) => {
    const client = new Cluster([...addresses])
    const figures = await endure(driverOn(client), outage)
    report(context, { server: nodes[2]!.version, ...figures })
  })
})
