import { Failure } from '../failure.ts'
import { DATABASES, type DatabaseId } from './address.ts'

// The packages are loaded on demand: a command needs one client, and each takes up to 0.2 seconds.

/** What a command uses of the packages of each database. */
interface Packages {
  redis: Pick<typeof import('@session-stores/redis'), 'redisDriver'> & Pick<typeof import('ioredis'), 'Redis'>
  postgres: Pick<typeof import('@session-stores/postgres'), 'postgresDriver'> & {
    Client: typeof import('pg').Client
    Pool: typeof import('pg').Pool
  }
  mongodb: Pick<typeof import('@session-stores/mongodb'), 'mongoDriver'> &
    Pick<typeof import('mongodb'), 'MongoClient'>
  sqlite: Pick<typeof import('@session-stores/sqlite'), 'sqliteDriver'> & {
    Database: typeof import('better-sqlite3')
  }
}

const loaders: { [Id in DatabaseId]: () => Promise<Packages[Id]> } = {
  redis: async () => ({ ...(await import('@session-stores/redis')), ...(await import('ioredis')) }),
  postgres: async () => ({ ...(await import('@session-stores/postgres')), ...(await import('pg')).default }),
  mongodb: async () => ({ ...(await import('@session-stores/mongodb')), ...(await import('mongodb')) }),
  sqlite: async () => ({
    ...(await import('@session-stores/sqlite')),
    Database: (await import('better-sqlite3')).default,
  }),
}

const CLIENTS: Readonly<Record<DatabaseId, string>> = {
  redis: 'ioredis',
  postgres: 'pg',
  mongodb: 'mongodb',
  sqlite: 'better-sqlite3',
}

/**
 * Loads the store and the client of a database.
 *
 * @throws Failure where the client is missing, as better-sqlite3 may be on some machines.
 */
export async function loadPackages<Id extends DatabaseId>(database: Id): Promise<Packages[Id]> {
  try {
    return await loaders[database]()
  } catch (error) {
    const { code } = error as { code?: string }
    if (!/^(ERR_)?(MODULE_NOT_FOUND|DLOPEN_FAILED)$/.test(code ?? '')) throw error
    const client = CLIENTS[database]
    throw new Failure(
      `${DATABASES[database]} needs the package ${client}, which cannot be loaded on this machine (${code}). ` +
        `Install it beside the command: npm install session-stores ${client}`,
    )
  }
}
