import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { contract } from './suites.ts'

// Requests race on the set of three, where a majority is more than one.
describeWith('a replica set of one member', mongoReplicaSet, (server) =>
  contract(server, ['driver', 'store', 'express', 'processRace', 'everyRule']),
)
