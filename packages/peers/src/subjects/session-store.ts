import { type Subject, subjectOf } from '@session-stores/conformance'
import { memoryDriver } from '@session-stores/core'
import { versions } from '../versions.ts'

const subject: Subject = {
  ...subjectOf({
    name: 'SessionStore on memoryDriver',
    place() {
      const driver = memoryDriver()
      return { drivers: [driver, driver] }
    },
  }),
  versions: versions(['@session-stores/core']),
}

export default subject
