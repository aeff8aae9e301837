import { driverSuite } from '@session-stores/driver-suite'
import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

const three = () => mongoReplicaSet({ members: 3 })

describeWith('a replica set of three members', three, (server) =>
  driverSuite({ describe, it }, deploymentsOn(server), { only: ['contract', 'races'] }),
)
