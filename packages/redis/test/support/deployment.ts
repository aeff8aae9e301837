import { join } from 'node:path'
import type { Deployment, MakeDeployment } from '@session-stores/driver-suite'
import { Cluster } from 'ioredis'
import { afterAll } from 'vitest'
import { type RedisOptions, redisDriver } from '../../src/index.ts'
import { clientOf, type Place } from './place.ts'

let prefixes = 0

/** Makes deployments on a server or a cluster. Each deployment has a prefix of its own. */
export function deploymentsOn({ url, addresses }: Place): MakeDeployment {
  const place = { url, addresses }
  const client = clientOf(place)
  afterAll(() => client.disconnect())
  const nodes = client instanceof Cluster ? () => client.nodes('master') : () => [client]

  return (): Deployment => {
    const prefix = `test${process.pid}-${++prefixes}:`
    const options: RedisOptions = url === undefined ? { client, prefix } : { url, prefix }
    return {
      drivers: [redisDriver(options), redisDriver(options)],
      remote: { module: join(import.meta.dirname, 'remote.ts'), config: { ...place, prefix } },
      async dump() {
        const keys = (await Promise.all(nodes().map((node) => node.keys(`${prefix}*`)))).flat()
        const isIndex = (key: string) => key.startsWith(`${prefix}:`)
        const values = keys.map((key) => (isIndex(key) ? client.zrange(key, '0', '-1') : client.get(key)))
        return JSON.stringify([keys, await Promise.all(values)])
      },
      dispose: () => redisDriver({ client, prefix }).clear(),
    }
  }
}
