import { setTimeout as pause } from 'node:timers/promises'
import { startPlace } from '../place.ts'
import type { Fault } from '../scene.ts'
import type { Deployment, DeploymentInfo } from './deployment.ts'
import { redisField, sendRedis } from './redis.ts'

/** A Redis that evicts nothing, whose memory is full for moments. */
export async function startFullRedis(info: DeploymentInfo): Promise<Deployment> {
  const place = await startPlace('redis')
  const server = place.server!
  const limit = (bytes: number) => sendRedis(server, 'CONFIG', 'SET', 'maxmemory', bytes)
  const faults: Record<string, Fault> = {
    async 'memory full'(scene) {
      await limit(1)
      await pause(100 + scene.random() * 600)
      await limit(0)
    },
    async 'memory for a few more writes'(scene) {
      await limit(Number(await redisField(server, 'memory', 'used_memory')) + 2000)
      await pause(100 + scene.random() * 600)
      await limit(0)
    },
    async 'killed while its memory is full'(scene) {
      await limit(1)
      await pause(scene.random() * 200)
      // The limit is gone with the process.
      await server.kill()
      await server.start()
    },
  }
  const mutants = { 'takes a full database for a save': { kind: 'full', url: place.through } } as const
  return { ...place, deployment: { ...info, faults, calls: 40, mutants } }
}
