import { type DriverSubject, type Subject, subjectOf } from '@session-stores/conformance'
import { mongoDriver } from '@session-stores/mongodb'
import { mongodb, mongoPlace } from '../places.ts'
import { versions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'MongoStore',
  async place() {
    const { url, name, hooks, close } = await mongoPlace()
    const driver = () => mongoDriver({ url, database: 'sessions', collection: name })
    return { drivers: [driver(), driver()], ...hooks, dispose: close }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: versions(['@session-stores/mongodb', 'mongodb'], await mongodb()),
}

export default subject
