import { driverSuite } from '@session-stores/driver-suite'
import { valkeyProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

// The store's own promises do not depend on the server, so the tests with Redis show them.
describeWith('Valkey', valkeyProcess, (server) =>
  driverSuite({ describe, it }, deploymentsOn(server), { only: ['contract', 'process-races'] }),
)
