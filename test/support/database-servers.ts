import { mongoServer, postgresServer, redisServer, type TestServer } from '@session-stores/testbed'

/** The variable in which programs of the docs find a database, and the function that starts its server. */
export type DatabaseServer = readonly [variable: string, start: () => Promise<TestServer>]

/** The databases that have a server. */
export const databaseServers = {
  redis: ['REDIS_URL', redisServer],
  postgres: ['DATABASE_URL', postgresServer],
  mongodb: ['MONGODB_URL', mongoServer],
} as const satisfies Readonly<Record<string, DatabaseServer>>
