import { driverSuite } from '@session-stores/driver-suite'
import { mongoServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

// The other groups run on a replica set, as in production.
describeWith('MongoDB', mongoServer, (server) =>
  driverSuite({ describe, it }, deploymentsOn(server), { only: ['contract'] }),
)
