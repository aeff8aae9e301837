import { join } from 'node:path'
import type { Subject } from '@session-stores/conformance'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { sqliteDriver } from '@session-stores/sqlite'
import { folderPlace } from '../places.ts'
import { readVersions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'SqliteStore',
  follows: ['tables', 'pruneInterval'],
  make({ tables }) {
    const { folder, close } = folderPlace()
    const driver = (table?: string) => sqliteDriver({ path: join(folder, 'sessions.db'), table })
    return { drivers: [driver(tables?.[0]), driver(tables?.[1])], dispose: close }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: readVersions(['@session-stores/sqlite', 'better-sqlite3']),
}

export default subject
