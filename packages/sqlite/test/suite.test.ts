import { driverSuite } from '@session-stores/driver-suite'
import { describe, it } from 'vitest'
import { makeDeployment } from './support/deployment.ts'

driverSuite({ describe, it }, makeDeployment)
