import { driverSuite } from '@session-stores/driver-suite'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'
import { startThree } from './support/servers.ts'

describeWith('a replica set of three members', startThree, (server) =>
  driverSuite({ describe, it }, deploymentsOn(server), { only: ['races'] }),
)
