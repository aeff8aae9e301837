import { type DriverSubject, type Subject, subjectOf } from '@session-stores/conformance'
import { postgresDriver } from '@session-stores/postgres'
import { postgres, postgresPlace } from '../places.ts'
import { versions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'PostgresStore',
  async place() {
    const { url, name, hooks, close } = await postgresPlace()
    const driver = () => postgresDriver({ url: `${url}?max=3`, table: name })
    return { drivers: [driver(), driver()], ...hooks, dispose: close }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: versions(['@session-stores/postgres', 'pg'], await postgres()),
}

export default subject
