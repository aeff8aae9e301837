import { mongoReplicaSet } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { contract } from './suites.ts'

const three = () => mongoReplicaSet({ members: 3 })

describeWith('a replica set of three members', three, (server) => contract(server, ['driver', 'race']))
