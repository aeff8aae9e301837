import { driverSuite } from '@session-stores/driver-suite'
import { postgresServers } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

const [{ name, start }] = postgresServers as [(typeof postgresServers)[number]]
describeWith(name, start, (server) => driverSuite({ describe, it }, deploymentsOn(server)))
