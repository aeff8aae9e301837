import { driverSuite } from '@session-stores/driver-suite'
import { valkeyProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

// What the stores promise does not depend on the server: Redis shows it.
describeWith('Valkey', valkeyProcess, (server) =>
  driverSuite({ describe, it }, deploymentsOn(server), { only: ['contract', 'races', 'process-races'] }),
)
