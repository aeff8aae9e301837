import { driverSuite } from '@session-stores/driver-suite'
import { redisServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { describe, it } from 'vitest'
import { deploymentsOn } from './support/deployment.ts'

describeWith('Redis', redisServer, (server) => driverSuite({ describe, it }, deploymentsOn(server)))
