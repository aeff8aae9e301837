import { endure, replace, report } from '@session-stores/conformance'
import { type RedisSentinel, redisCluster, redisSentinel } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { Cluster, Redis } from 'ioredis'
import { expect, it } from 'vitest'
import { type RedisClient, redisDriver } from '../src/index.ts'
import { after } from './support.ts'

// Replication may lose what was acknowledged: how much is measured, and no promise.

/** Lends it for one test. */
function driverOn<C extends Redis | Cluster>(client: C) {
  client.on('error', () => {})
  after(() => client.disconnect())
  return redisDriver({ client: client as RedisClient })
}

const throughSentinel = ({ addresses, name }: RedisSentinel) =>
  driverOn(new Redis({ sentinels: [...addresses], name, socketTimeout: 3000, maxRetriesPerRequest: 2 }))

describeWith('Redis Sentinel', redisSentinel, (servers) => {
  it('the master is killed', async (context) => {
    const [master, replica] = servers.nodes
    const figures = await endure(throughSentinel(servers), { strike: () => master!.kill() })
    report(context, { server: replica!.version, ...figures })
  })
})

describeWith('Redis Sentinel', redisSentinel, (servers) => {
  it('the master is killed when its replica is cut off', async (context) => {
    const [master, replica] = servers.nodes
    const observer = new Redis(master!.url)
    const figures = await endure(throughSentinel(servers), {
      async strike(load) {
        replica!.pause()
        await observer.call('CLIENT', 'KILL', 'TYPE', 'replica')
        observer.disconnect()
        await load.works()
        await master!.kill()
        replica!.resume()
      },
    })
    report(context, { server: replica!.version, ...figures })
    expect(figures.lost).toBeGreaterThan(0)
    expect(figures.undone).toBeGreaterThan(0)
  })
})

const replicated = () => redisCluster({ replicas: 1, nodeTimeout: 1000 })

describeWith('Redis Cluster', replicated, ({ addresses, nodes }) => {
  it.for([
    ['a master is killed', { strike: () => nodes[0]!.kill() }],
    ['a master hangs, and returns', replace(nodes[1]!)],
  ] as const)('%s', async ([, outage], context) => {
    const figures = await endure(driverOn(new Cluster([...addresses])), outage)
    report(context, { server: nodes[2]!.version, ...figures })
  })
})
