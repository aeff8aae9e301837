import { join } from 'node:path'
import type { Deployment, MakeDeployment } from '@session-stores/driver-suite'
import { Cluster } from 'ioredis'
import { afterAll } from 'vitest'
import { type RedisOptions, redisDriver } from '../../src/index.ts'
import { type Lent, type Library, lend } from './lent.ts'
import { clientOf, type Place } from './place.ts'

let prefixes = 0

/**
 * Makes deployments on a server, a cluster or a master. Each deployment has a prefix of its own.
 *
 * @param library whose client the drivers borrow; without it, the driver makes its own where it can
 */
export function deploymentsOn({ url, addresses, sentinels, name }: Place, library?: Library): MakeDeployment {
  const place = { url, addresses, sentinels, name } as Place
  const observer = clientOf(place)
  let lent: Lent | undefined
  afterAll(() => {
    observer.disconnect()
    lent?.close()
  })
  const nodes = observer instanceof Cluster ? () => observer.nodes('master') : () => [observer]

  return (): Deployment => {
    const prefix = `test${process.pid}-${++prefixes}:`
    const isOwn = library === undefined && url !== undefined
    if (!isOwn) lent ??= lend(library ?? 'ioredis', place)
    const options: RedisOptions = isOwn ? { url, prefix } : { client: lent!.client, prefix }
    return {
      drivers: [redisDriver(options), redisDriver(options)],
      remote: {
        module: join(import.meta.dirname, 'remote.ts'),
        config: { ...place, prefix, library: library ?? 'ioredis' },
      },
      async dump() {
        const keys = (await Promise.all(nodes().map((node) => node.keys(`${prefix}*`)))).flat()
        const isIndex = (key: string) => key.startsWith(`${prefix}:`)
        const values = keys.map((key) => (isIndex(key) ? observer.zrange(key, '0', '-1') : observer.get(key)))
        return JSON.stringify([keys, await Promise.all(values)])
      },
      dispose: () => redisDriver({ client: observer, prefix }).clear(),
    }
  }
}
