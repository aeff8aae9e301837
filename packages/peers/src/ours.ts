import { join } from 'node:path'
import { type DriverPlace, type Subject, subjectOf } from '@session-stores/conformance'
import { type Driver, memoryDriver } from '@session-stores/core'
import { mongoDriver } from '@session-stores/mongodb'
import { postgresDriver } from '@session-stores/postgres'
import { redisDriver } from '@session-stores/redis'
import { sqliteDriver } from '@session-stores/sqlite'
import { folderPlace, mongoPlace, type Place, postgresPlace, redisPlace } from './places.ts'

/** Drivers of their own connections, behind the link of the place. */
function linked(place: Place, driver: (which: 0 | 1) => Driver): DriverPlace {
  return { drivers: [driver(0), driver(1)], ...place.hooks, dispose: () => place.close() }
}

/** The stores of this project, judged like everybody's. */
export const ours: readonly Subject[] = [
  subjectOf({
    name: 'SessionStore on memoryDriver',
    place() {
      const driver = memoryDriver()
      return { drivers: [driver, driver] }
    },
  }),
  subjectOf({
    name: 'SqliteStore',
    place() {
      const { folder, close } = folderPlace()
      const driver = (): Driver => sqliteDriver({ path: join(folder, 'sessions.db') })
      return { drivers: [driver(), driver()], dispose: close }
    },
  }),
  subjectOf({
    name: 'RedisStore',
    prefixed: true,
    async place(prefixes = ['', '']) {
      const place = await redisPlace()
      return linked(place, (which) =>
        redisDriver({ url: place.url, prefix: `${place.name}:${prefixes[which]}` }),
      )
    },
  }),
  subjectOf({
    name: 'PostgresStore',
    async place() {
      const place = await postgresPlace()
      const url = `${place.url}?max=3`
      return linked(place, () => postgresDriver({ url, table: place.name }))
    },
  }),
  subjectOf({
    name: 'MongoStore',
    async place() {
      const place = await mongoPlace()
      const url = place.url
      return linked(place, () => mongoDriver({ url, database: 'ours', collection: place.name }))
    },
  }),
]
