import { type Subject, subjectOf } from '@session-stores/conformance'
import { mongoDriver } from '@session-stores/mongodb'
import { mongodb, mongoPlace } from '../places.ts'
import { versions } from '../versions.ts'

const subject: Subject = {
  ...subjectOf({
    name: 'MongoStore',
    async place() {
      const { url, name, hooks, close } = await mongoPlace()
      const driver = () => mongoDriver({ url, database: 'sessions', collection: name })
      return { drivers: [driver(), driver()], ...hooks, dispose: close }
    },
  }),
  versions: versions(['@session-stores/mongodb', 'mongodb'], await mongodb()),
}

export default subject
