import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { contract } from './suites.ts'

// A file of its own, so that it runs beside the others.
for (const { name, start } of postgresServers.slice(1))
  describeWith(name, start, (server) => contract(server))
