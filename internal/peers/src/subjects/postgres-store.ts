import type { Subject } from '@session-stores/conformance'
import { type DriverSubject, subjectOf } from '@session-stores/driver-suite'
import { postgresDriver } from '@session-stores/postgres'
import { newSchema, postgres, postgresPlace, withSettings } from '../places.ts'
import { readVersions } from '../versions.ts'

export const definition: DriverSubject = {
  name: 'PostgresStore',
  follows: ['tables', 'timeZones', 'pruneInterval'],
  async make({ tables, timeZones }) {
    const { url, direct, name, hooks, close } = await postgresPlace()
    // Only rules with table names get a schema. It comes first in the search path of its
    // connections.
    const schema = tables && (await newSchema(direct, name))
    const driver = (i: 0 | 1) => {
      const connection = new URL(withSettings(url, { timezone: timeZones?.[i], search_path: schema }))
      connection.searchParams.set('max', '3')
      return postgresDriver({ url: connection.href, schema, table: tables?.[i] ?? name })
    }
    return { drivers: [driver(0), driver(1)], ...hooks, dispose: close }
  },
}

const subject: Subject = {
  ...subjectOf(definition),
  versions: readVersions(['@session-stores/postgres', 'pg'], await postgres()),
}

export default subject
