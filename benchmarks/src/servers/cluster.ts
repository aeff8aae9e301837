import { redisCluster } from '@session-stores/testbed'
import { Redis } from 'ioredis'
import { countsOf } from './redis.ts'
import type { BenchServer } from './server.ts'
import { SlotMoves } from './slot-moves.ts'

/** Starts a cluster of three masters. A cluster has only one place. */
export async function startCluster(): Promise<BenchServer> {
  const cluster = await redisCluster()
  const admins = cluster.nodes.map(({ url }) => new Redis(url))
  const moves = new SlotMoves(cluster)
  return {
    info: {
      name: 'redis-cluster',
      version: cluster.nodes[0]!.version,
      settings: { masters: `${cluster.nodes.length}`, save: '""', appendonly: 'no' },
    },
    async empty() {
      await Promise.all(admins.map((admin) => admin.flushall('SYNC')))
      return cluster.nodes.map(({ url }) => url)
    },
    async counts() {
      const counts = await Promise.all(admins.map(countsOf))
      return {
        roundTrips: counts.reduce((sum, { roundTrips }) => sum + roundTrips!, 0),
        commands: counts.reduce((sum, { commands }) => sum + commands!, 0),
      }
    },
    async stored() {
      const sizes = await Promise.all(admins.map((admin) => admin.dbsize()))
      return sizes.reduce((sum, size) => sum + size, 0)
    },
    pids: () => cluster.nodes.map(({ pid }) => pid!),
    async moveSlots(isMoving) {
      if (isMoving) moves.begin()
      else await moves.end()
    },
    async stop() {
      await moves.end()
      for (const admin of admins) admin.disconnect()
      await cluster.stop()
    },
  }
}
