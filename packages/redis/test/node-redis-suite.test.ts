import { driverSuite, type Part } from '@session-stores/driver-suite'
import { redisCluster, redisSentinel, redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

// `npx -y pnpm@12 node-redis` runs every part on every combination.
const isWhole = process.env.SESSION_STORES_WHOLE_SUITE === '1'
const only: { only?: Part[] } = isWhole ? {} : { only: ['contract'] }
const versions = ['redis 5', 'redis 6'] as const

for (const version of versions) {
  describeWith(`${version} on a server`, redisServer, (server) =>
    driverSuite({ describe, it }, deploymentsOn(server, version), version === 'redis 6' ? {} : only),
  )
}

describeWith('a Redis Cluster', redisCluster, ({ addresses }) => {
  for (const version of versions)
    describe(version, () => driverSuite({ describe, it }, deploymentsOn({ addresses }, version), only))
})

describeWith('Redis Sentinel', redisSentinel, ({ addresses, name }) => {
  for (const version of versions)
    describe(version, () =>
      driverSuite({ describe, it }, deploymentsOn({ sentinels: addresses, name }, version), only),
    )
})
