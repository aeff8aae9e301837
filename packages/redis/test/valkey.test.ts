import { valkeyProcess } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { allSuites } from './suites.ts'

describeWith('Valkey', valkeyProcess, allSuites)
