import { driverSuite } from '@session-stores/driver-suite'
import { oldestRedisBinary, redisCluster, valkeyBinary } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

const versions = [
  ['Redis 6.2, whose scripts cannot cross slots', oldestRedisBinary],
  ['Valkey 9', valkeyBinary],
] as const

for (const [name, binaryOf] of versions)
  describeWith(
    `a cluster of ${name}`,
    async () => redisCluster({ binary: await binaryOf() }),
    ({ addresses }) => {
      for (const library of ['ioredis', 'redis 6'] as const)
        describe(library, () =>
          driverSuite({ describe, it }, deploymentsOn({ addresses }, library), {
            only: ['contract', 'races'],
          }),
        )
    },
  )
