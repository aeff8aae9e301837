import { mongoServer } from '@session-stores/testbed'
import { describeWith } from '@session-stores/testbed/vitest'
import { allSuites } from './suites.ts'

describeWith('MongoDB', mongoServer, allSuites)
