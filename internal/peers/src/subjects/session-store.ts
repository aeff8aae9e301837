import type { Subject } from '@session-stores/conformance'
import { memoryDriver } from '@session-stores/core'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { versions } from '../versions.ts'

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
  versions: versions(['@session-stores/core']),
}

export default subject
