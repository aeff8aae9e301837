/** A database that this project has a store for. Loading this list loads no database client. */
export interface DatabaseInfo {
  /** The display name, such as `PostgreSQL`. */
  readonly name: string
  /** The package of this project. */
  readonly package: `@session-stores/${string}`
  /** The class of the store in that package. */
  readonly store: `${string}Store`
  /** The package through which the store speaks to the database. */
  readonly client: string
  /** The benchmark subject of the store package that most people use with this database. */
  readonly peer: string
  /** Whether the database is a server, which several machines can share. */
  readonly isServer: boolean
}

export type DatabaseId = 'redis' | 'mongodb' | 'postgres' | 'sqlite'
export type ServerDatabaseId = Exclude<DatabaseId, 'sqlite'>

/** All databases that this project has a store for, by their ids. */
export const databases: Readonly<Record<DatabaseId, DatabaseInfo>> = {
  redis: {
    name: 'Redis',
    package: '@session-stores/redis',
    store: 'RedisStore',
    client: 'ioredis',
    peer: 'connect-redis',
    isServer: true,
  },
  mongodb: {
    name: 'MongoDB',
    package: '@session-stores/mongodb',
    store: 'MongoStore',
    client: 'mongodb',
    peer: 'connect-mongo',
    isServer: true,
  },
  postgres: {
    name: 'PostgreSQL',
    package: '@session-stores/postgres',
    store: 'PostgresStore',
    client: 'pg',
    peer: 'connect-pg-simple',
    isServer: true,
  },
  sqlite: {
    name: 'SQLite',
    package: '@session-stores/sqlite',
    store: 'SqliteStore',
    client: 'better-sqlite3',
    peer: 'better-sqlite3-session-store-wal',
    isServer: false,
  },
}

export const databaseIds: readonly DatabaseId[] = Object.keys(databases) as DatabaseId[]

/** The ids of the databases that are servers. */
export const serverDatabaseIds: readonly ServerDatabaseId[] = databaseIds.filter(
  (id): id is ServerDatabaseId => databases[id].isServer,
)
