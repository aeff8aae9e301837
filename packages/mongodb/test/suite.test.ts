import { driverSuite } from '@session-stores/driver-suite'
import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

// The races of one process run on the set of three, where a majority is more than one member. The
// contract without a replica set is in sharding.test.ts.
describeWith('a replica set of one member', mongoReplicaSet, (server) =>
  driverSuite({ describe, it }, deploymentsOn(server), {
    only: ['contract', 'policy', 'http', 'process-races', 'conformance'],
  }),
)
