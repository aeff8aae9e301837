import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { allSuites, driverAndRaces } from './suites.ts'

describeWith('a replica set of one member', mongoReplicaSet, allSuites)
describeWith('a replica set of three members', () => mongoReplicaSet({ members: 3 }), driverAndRaces)
