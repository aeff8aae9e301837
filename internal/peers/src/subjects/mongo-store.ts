import type { Subject } from '@session-stores/conformance'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { mongoDriver } from '@session-stores/mongodb'
import { mongodb, mongoPlace } from '../places.ts'
import { readVersions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'MongoStore',
  follows: ['tables', 'pruneInterval'],
  async make({ tables }) {
    const { url, name, hooks, close } = await mongoPlace()
    const driver = (table?: string) =>
      table === undefined
        ? mongoDriver({ url, database: 'sessions', collection: name })
        : mongoDriver({ url, database: name, collection: table })
    return { drivers: [driver(tables?.[0]), driver(tables?.[1])], ...hooks, dispose: close }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: readVersions(['@session-stores/mongodb', 'mongodb'], await mongodb()),
}

export default subject
