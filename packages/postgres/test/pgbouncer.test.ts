import { driverSuite } from '@session-stores/driver-suite'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'
import { startPooled } from './support/pgbouncer.ts'

describeWith('PgBouncer in transaction mode', startPooled, ({ pooler }) =>
  driverSuite({ describe, it }, deploymentsOn(pooler, { namedStatements: false }), {
    only: ['contract', 'process-races'],
  }),
)
