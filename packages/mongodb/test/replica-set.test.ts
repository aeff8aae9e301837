import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { allSuites } from './suites.ts'

describeWith('a replica set of one member', mongoReplicaSet, allSuites)
