import { driverSuite, type Part } from '@session-stores/driver-suite'
import { redisCluster, redisSentinel, redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'
import { isWhole, nodeRedis } from './support/lent.ts'

const only: { only?: Part[] } = isWhole ? {} : { only: ['contract'] }

for (const version of nodeRedis) {
  describeWith(`${version} on a server`, redisServer, (server) =>
    driverSuite({ describe, it }, deploymentsOn(server, version), version === 'redis 6' ? {} : only),
  )
}

describeWith('a Redis Cluster', redisCluster, ({ addresses }) => {
  for (const version of nodeRedis)
    describe(version, () => driverSuite({ describe, it }, deploymentsOn({ addresses }, version), only))
})

describeWith('Redis Sentinel', redisSentinel, ({ addresses, name }) => {
  for (const version of nodeRedis)
    describe(version, () =>
      driverSuite({ describe, it }, deploymentsOn({ sentinels: addresses, name }, version), only),
    )
})
