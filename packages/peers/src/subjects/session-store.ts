import { type DriverSubject, type Subject, subjectOf } from '@session-stores/conformance'
import { memoryDriver } from '@session-stores/core'
import { versions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'SessionStore on memoryDriver',
  follows: ['pruneInterval'],
  place() {
    const driver = memoryDriver()
    return { drivers: [driver, driver] }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: versions(['@session-stores/core']),
}

export default subject
