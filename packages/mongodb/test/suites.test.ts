import { mongoServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { contract } from './suites.ts'

describeWith('MongoDB', mongoServer, (server) => contract(server))
