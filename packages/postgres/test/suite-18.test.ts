import { driverSuite } from '@session-stores/driver-suite'
import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

// This is a file of its own, so that it runs beside the others. The rules of stores run on the
// first server.
for (const { name, start } of postgresServers.slice(1))
  describeWith(name, start, (server) =>
    driverSuite({ describe, it }, deploymentsOn(server), { only: ['contract', 'races', 'process-races'] }),
  )
