import { join } from 'node:path'
import {
  driverSuite,
  everyRuleSuite,
  expressSuite,
  type ProcessBackend,
  processRaceSuite,
  raceSuite,
  storeSuite,
} from '@session-stores/conformance'
import { Cluster } from 'ioredis'
import { afterAll, describe, it } from 'vitest'
import { type RedisOptions, redisDriver } from '../src/index.ts'
import { clientOf, type Place } from './place.ts'

const runner = { describe, it }
let prefixes = 0

/** The whole contract, on prefixes, each of which two drivers share as two processes do. */
export function allSuites({ url, addresses }: Place): void {
  const place = { url, addresses }
  const client = clientOf(place)
  afterAll(() => client.disconnect())
  const nodes = client instanceof Cluster ? () => client.nodes('master') : () => [client]

  function make(): ProcessBackend {
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

  driverSuite(runner, make)
  storeSuite(runner, make)
  expressSuite(runner, make)
  raceSuite(runner, make)
  processRaceSuite(runner, make)
  everyRuleSuite(runner, make)
}
