import type { Subject } from '@session-stores/conformance'
import { memoryDriver } from '@session-stores/core'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { readVersions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'SessionStore on memoryDriver',
  follows: ['pruneInterval'],
  make() {
    const driver = memoryDriver()
    return { drivers: [driver, driver] }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: readVersions(['@session-stores/core']),
}

export default subject
