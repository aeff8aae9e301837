import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { contract } from './suites.ts'

const [{ name, start }] = postgresServers as [(typeof postgresServers)[number]]
describeWith(name, start, (server) => contract(server))
